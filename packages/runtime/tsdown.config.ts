import { existsSync } from 'node:fs'

import { defineConfig } from 'tsdown'

const entries = ['index', 'internal', 'manifest', 'worker', 'cli/main']

export default defineConfig({
  entry: Object.fromEntries(entries.map((name) => [name, `src/${name}.ts`]).filter(([, path]) => existsSync(path ?? ''))),
  format: 'esm',
  fixedExtension: false,
  platform: 'node',
  target: 'node20.19',
  dts: true,
})
