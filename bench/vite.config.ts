import { turbolift } from 'vite-plugin-turbolift'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [turbolift({ pools: { one: { maxReplicas: 1 }, two: { maxReplicas: 2 } } })],
  // Vite and the plugin are measured as they are installed; the peers find worker files beside their own sources.
  ssr: {
    external: [
      'bullmq',
      'comlink',
      'piscina',
      'poolifier',
      'threads',
      'tinypool',
      'undici',
      'workerpool',
      'vite',
      'vite-plugin-turbolift',
    ],
  },
})
