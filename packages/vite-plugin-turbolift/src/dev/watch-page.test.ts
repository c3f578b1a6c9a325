import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
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
    await start(base)
    const address = printedAddress()
    const page = await fetch(address)
    const script = await fetch(new URL('app.js', address))
    const stop = new AbortController()
    const events = await fetch(new URL('events', address), { signal: stop.signal })
    const { value } = (await events.body?.pipeThrough(new TextDecoderStream()).getReader().read()) ?? {}
    stop.abort()
    expect(address.pathname).toMatch(new RegExp(`^${base}__turbolift/[\\w-]{22}/$`))
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<h1>turbolift</h1>')])
    expect(script.headers.get('content-type')).toContain('text/javascript')
    expect(value).toContain('"order":[]')
  },
)

test('programs that run in the server are watched, and other paths are left to Vite', async () => {
  const address = await start('/')
  expect(process.env['TURBOLIFT_WATCH']).toBe('1')
  expect((await fetch(new URL('__turbolifting', address))).status).toBe(404)
})

test.each(['__turbolift', '__turbolift/', '__turbolift/app.js', '__turbolift/guess/', '__turbolift/events'])(
  'whoever does not know the secret sees nothing: %s',
  async (path) => {
    expect((await fetch(new URL(path, await start('/')))).status).toBe(404)
  },
)

test('a name of somebody else that leads to the server is refused', async () => {
  await start('/')
  const [response] = await once(request(printedAddress(), { headers: { host: 'rebound.example' } }).end(), 'response')
  response.resume()
  expect(response.statusCode).toBe(403)
})

/** What is printed below the addresses of Vite. */
function printedAddress(): URL {
  const info = vi.spyOn(server.config.logger, 'info')
  server.printUrls()
  const printed = info.mock.calls.map(([line]) => /turbolift: (http\S+)/.exec(line)?.[1])
  return new URL(printed.find((address) => address !== undefined) ?? '')
}
