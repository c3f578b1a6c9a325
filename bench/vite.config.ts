import turbolift from 'vite-plugin-turbolift'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [turbolift({ pools: { one: { maxReplicas: 1 }, two: { maxReplicas: 2 } } })],
  // The peers find their worker files beside their own sources, so they stay out of the bundle.
  ssr: { external: ['bullmq', 'comlink', 'piscina', 'poolifier', 'threads', 'tinypool', 'workerpool'] },
})
