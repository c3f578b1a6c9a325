import { turbolift } from 'vite-plugin-turbolift'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [turbolift()],
})
