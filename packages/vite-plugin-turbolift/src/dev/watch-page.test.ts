import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createServer } from 'vite'
import type { ViteDevServer } from 'vite'

import { createWatchPagePlugin } from './watch-page.ts'

let root: string
let server: ViteDevServer
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'turbolift-vite-'))
  vi.stubEnv('VITEST', undefined)
  vi.stubEnv('TURBOLIFT_WATCH', undefined)
  vi.stubEnv('TURBOLIFT_WATCH_FOLDER', join(root, 'runs'))
})
afterEach(async () => {
  await server.close()
  vi.unstubAllEnvs()
  await rm(root, { recursive: true })
})

async function start(base: string): Promise<URL> {
  server = await createServer({
    root,
    base,
    configFile: false,
    logLevel: 'silent',
    plugins: [createWatchPagePlugin()],
    server: { port: 0, host: '127.0.0.1' },
  })
  await server.listen()
  return new URL(server.resolvedUrls?.local[0] ?? '')
}

test.each(['/', '/app/'])(
  "Vite's dev server with the base %s shows the page, its files and its events",
  async (base) => {
    const address = await start(base)
    const page = await fetch(new URL('__turbolift', address))
    const script = await fetch(new URL('__turbolift/app.js', address))
    const stop = new AbortController()
    const events = await fetch(new URL('__turbolift/events', address), { signal: stop.signal })
    const { value } = (await events.body?.pipeThrough(new TextDecoderStream()).getReader().read()) ?? {}
    stop.abort()
    expect([page.status, new URL(page.url).pathname, await page.text()]).toEqual([
      200,
      `${base}__turbolift/`,
      expect.stringContaining('<h1>turbolift</h1>'),
    ])
    expect(script.headers.get('content-type')).toContain('text/javascript')
    expect(value).toContain('"order":[]')
  },
)

test('programs that run in the server are watched, and other paths are left to Vite', async () => {
  const address = await start('/')
  expect(process.env['TURBOLIFT_WATCH']).toBe('1')
  expect((await fetch(new URL('__turbolifting', address))).status).toBe(404)
})

test('its address is printed below those of Vite', async () => {
  const address = await start('/')
  const info = vi.spyOn(server.config.logger, 'info')
  server.printUrls()
  expect(info).toHaveBeenCalledWith(expect.stringContaining(`turbolift: ${new URL('__turbolift/', address).href}`))
})
