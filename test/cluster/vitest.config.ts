import { fileURLToPath } from 'node:url'

import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'

const conditions = ['turbolift-source', ...defaultServerConditions]

/** Tests against the cluster of `KUBECONFIG`; one file at a time, since they share its processors. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['{packages,test}/**/*.cluster.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    fileParallelism: false,
    // Most of these tests wait for the cluster.
    maxConcurrency: 10,
    testTimeout: 180_000,
    hookTimeout: 120_000,
  },
})
