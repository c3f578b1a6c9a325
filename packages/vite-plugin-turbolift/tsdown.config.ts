import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: { index: 'src/index.ts', dev: 'src/dev/run.ts', 'dev-functions': 'src/dev/functions.ts' },
  format: 'esm',
  fixedExtension: false,
  platform: 'node',
  target: 'node20.19',
  dts: true,
})
