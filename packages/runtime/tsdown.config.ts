import { existsSync } from 'node:fs'

import { defineConfig } from 'tsdown'

import { licenses } from '../../build/licenses.ts'
import { packed } from './build/packed.ts'
import { rawText } from './build/raw-text.ts'
import { slimClient } from './build/slim-client.ts'

const entries = [
  'index',
  'internal',
  'manifest',
  'worker',
  'cli/main',
  'watch/page',
  'watch/opentelemetry',
  'watch/prometheus',
]

export default defineConfig({
  entry: Object.fromEntries(
    entries.map((name) => [name, `src/${name}.ts`]).filter(([, path]) => existsSync(path ?? '')),
  ),
  format: 'esm',
  fixedExtension: false,
  platform: 'node',
  target: 'node20.19',
  dts: true,
  plugins: [packed(/[\\/](?:bcrypt|kubeconfig|websocket)\.ts$/, [slimClient(), licenses()]), rawText()],
})
