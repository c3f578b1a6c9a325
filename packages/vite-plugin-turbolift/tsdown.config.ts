import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: { index: 'src/index.ts', dev: 'src/dev/run.ts', 'dev-functions': 'src/dev/functions.ts' },
  format: 'esm',
  fixedExtension: false,
  platform: 'node',
  // Workers load it in dev, with the flags of the program: conditions among them, by which packages have other files.
  noExternal: ['turbolift/manifest'],
  target: 'node20.19',
  dts: true,
})
