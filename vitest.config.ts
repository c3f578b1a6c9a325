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
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
