import { defineConfig } from 'tsdown'

import { licenses } from '../../build/licenses.ts'

const shared = {
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  outDir: 'dist',
  fixedExtension: false,
  clean: false,
} as const

export default defineConfig([
  {
    ...shared,
    entry: ['src/index.ts', 'src/clock.ts', 'src/context.ts', 'src/folders.ts', 'src/inline.ts', 'src/wire.ts'],
    dts: true,
  },
  // The programs of a worker: single files that need nothing but Node.
  {
    ...shared,
    entry: ['src/worker.ts'],
    dts: false,
    deps: { alwaysBundle: [/./], onlyBundle: false },
    plugins: [licenses()],
  },
  { ...shared, entry: ['src/executor.ts'], dts: false, deps: { alwaysBundle: [/./], onlyBundle: false } },
])
