import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'

// The workspace's packages are tested from their sources; what runs as a program of its own (workers, the
// built playground) needs `npm run build` first, which `npm test` does.
const conditions = ['turbolift-source', ...defaultServerConditions]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    // The watch page's style is sent as it is; vitest would leave it empty.
    css: { include: [/watch\/assets/] },
    include: [
      'test/docs/**/*.test.ts',
      'packages/*/{src,test}/**/*.test.ts',
      'test/e2e/**/*.test.ts',
      'playground/*/__tests__/**/*.test.ts',
      'bench/src/**/*.test.ts',
    ],
    exclude: ['**/node_modules/**', '**/dist/**', '**/*.cluster.test.ts'],
    // Machines of a CI are shared; what needed its second try is told at the end of `.ci/run`, and is a defect.
    retry: process.env['CI'] === undefined ? 0 : 1,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
