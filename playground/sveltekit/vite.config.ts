import { sveltekit } from '@sveltejs/kit/vite'
import { defineConfig } from 'vite'
import { turbolift } from 'vite-plugin-turbolift'

export default defineConfig({
  plugins: [sveltekit(), turbolift()],
})
