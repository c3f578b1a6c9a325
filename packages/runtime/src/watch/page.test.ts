import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { serve } from 'h3'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { chromiumPath, createBrowser } from '../../test/browser.ts'
import type { TestBrowser } from '../../test/browser.ts'
import { events } from './events.ts'
import { createWatchPage } from './page.ts'
import { publishRun } from './publish.ts'
import { openWatchFolder } from './watch-folder.ts'

const call = { functionId: 'src/main.ts#render', pool: 'default', mapId: 1, attempt: 1, queuedMs: 1 }
const counts = { total: 400, inFlight: 2, done: 0, failed: 0, cached: 0 }

let folder: string
let server: ReturnType<typeof serve>
let address: string
beforeEach(async () => {
  folder = openWatchFolder(join(await mkdtemp(join(tmpdir(), 'turbolift-page-')), 'runs'))
  const page = createWatchPage({ folder, base: '/secret' })
  server = serve(page, { hostname: '127.0.0.1', port: 0, silent: true, gracefulShutdown: false })
  await server.ready()
  address = new URL('/secret/', server.url).href
})
afterEach(async () => {
  await server.close(true)
  await rm(join(folder, '..'), { recursive: true })
})

describe('the server', () => {
  test.each(['/', '/secret', '/secre/', '/other/', '/secret/nothing', '/secret/constructor'])(
    '%s is not found',
    async (path) => {
      expect((await fetch(new URL(path, address))).status).toBe(404)
    },
  )

  test('a page of another site gets nothing', async () => {
    expect((await fetch(address, { headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(404)
  })

  test.each(['', 'app.js', 'events', 'nothing'])(
    'nothing from elsewhere runs in "%s", it is in no frame, and its address is not told',
    async (name) => {
      const stop = new AbortController()
      const { headers } = await fetch(new URL(name, address), { signal: stop.signal })
      stop.abort()
      const policy = headers.get('content-security-policy')
      for (const rule of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"])
        expect(policy).toContain(rule)
      expect(headers.get('x-frame-options')).toBe('DENY')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
    },
  )

  test.each([
    ['localhost', 200],
    ['[::1]', 200],
    ['rebound.example', 404],
    ['127.0.0.1.rebound.example', 404],
    ['localhost.rebound.example', 404],
  ])('a request for the name %s is answered %i', async (name, status) => {
    const { port } = new URL(address)
    expect(await statusFor(`${name}:${port}`)).toBe(status)
    expect(await statusFor(name)).toBe(status)
  })
})

/** `fetch` lets nobody choose the header. */
async function statusFor(host: string): Promise<number | undefined> {
  const [response] = await once(request(address, { headers: { host } }).end(), 'response')
  response.resume()
  return response.statusCode
}

describe.skipIf(chromiumPath === undefined)('in Chromium (node scripts/install-chromium.mjs)', () => {
  let browser: TestBrowser
  let page: Page
  const problems: string[] = []
  beforeAll(async () => {
    browser = await createBrowser()
    page = await browser.context.newPage()
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text())
    })
  })
  afterAll(() => browser[Symbol.asyncDispose]())
  afterEach(async () => {
    expect(problems.splice(0)).toEqual([])
    await page.goto('about:blank')
  })

  test('says so when there are no runs, and shows one as soon as it begins', async () => {
    await page.goto(address)
    await page.getByText('No runs yet').waitFor()
    const run = publishRun({ runId: 'r1', program: 'mandelbrot', target: 'local' }, folder)
    await page.getByRole('heading', { name: 'mandelbrot: running' }).waitFor()
    run[Symbol.dispose]()
    await page.getByRole('heading', { name: 'mandelbrot: ended' }).waitFor()
  })

  test('shows workers, maps, calls, errors with their source, and output, while they happen', async () => {
    const run = publishRun({ runId: 'r1', program: 'mandelbrot', target: 'local' }, folder)
    happen()
    await page.goto(address)
    await page.getByRole('heading', { name: 'mandelbrot: running' }).waitFor()
    await page.getByRole('log').getByText('frame 7 is ready').waitFor()
    const cells = async (list: string) => await page.locator(`#${list} td`).allTextContents()
    const maps = await cells('maps')
    expect(maps.slice(0, 5)).toEqual(['render', ' 50 %', '198', '2', '2'])
    expect((await cells('functions')).slice(0, 4)).toEqual(['render', '198', '2', '1'])
    expect((await cells('workers')).slice(0, 5)).toEqual(['worker-1', 'default', 'ready', '198', '2'])
    expect((await cells('slowest'))[3]).toBe('197 ms')
    expect(await page.locator('#errors summary').first().textContent()).toMatch(
      /RangeError no such frame.*page\.test\.ts:\d+:\d+ · .*render · worker-1 · attempt 2, failed/,
    )
    expect(await page.getByRole('figure').textContent()).toMatch(/done a second on average, [\d.]+ failed; \d+ at most/)
    expect(await page.getByRole('log').textContent()).toContain('worker-1 | frame 7 is ready')
    counts.done = 398
    await page.getByRole('progressbar', { name: 'render: 100 %' }).waitFor()
    run[Symbol.dispose]()
  })

  test('an error that is open stays open, and keeps the focus, while others come', async () => {
    const run = publishRun({ runId: 'r1', program: 'mandelbrot', target: 'local' }, folder)
    happen()
    await page.goto(address)
    const first = page.locator('#errors details').first()
    await first.locator('summary').focus()
    await page.keyboard.press('Enter')
    const stack = await first.locator('pre').textContent()
    events['call:failed'].emit({
      ...call,
      callId: 999,
      workerId: 'worker-1',
      durationMs: 1,
      error: new TypeError('another'),
    })
    await page.getByText('TypeError another').waitFor()
    const second = page.locator('#errors details').nth(1)
    expect(await second.getAttribute('open')).toBe('')
    expect(await second.locator('pre').textContent()).toBe(stack)
    expect(await page.evaluate('document.activeElement.textContent')).toContain('no such frame')
    run[Symbol.dispose]()
  })

  test('text from programs is shown as text', async () => {
    const script = '<img src=x onerror="document.title=1"><script>document.title=1</script>'
    const run = publishRun({ runId: 'r1', program: script, target: 'local' }, folder)
    events['log:line'].emit({ workerId: 'w', stream: 'stdout', line: script })
    events['call:failed'].emit({ ...call, callId: 1, workerId: script, durationMs: 1, error: new Error(script) })
    await page.goto(address)
    await page.getByRole('log').getByText('<img src=x').waitFor()
    expect(await page.title()).toBe('turbolift')
    expect(await page.locator('img[src], main script').count()).toBe(0)
    run[Symbol.dispose]()
  })

  test('one of several runs is chosen by the keyboard, and its address can be kept', async () => {
    for (const program of ['first', 'second'])
      publishRun({ runId: `run-${program}`, program, target: 'local' }, folder)[Symbol.dispose]()
    await page.goto(address)
    await page.getByRole('button', { name: /first/ }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'first: ended' }).waitFor()
    expect(await page.getByRole('button', { name: /first/ }).getAttribute('aria-current')).toBe('true')
    await page.reload()
    await page.getByRole('heading', { name: 'first: ended' }).waitFor()
  })

  test('light and dark have enough contrast, and nothing is wider than a telephone', async () => {
    publishRun({ runId: 'r1', program: 'mandelbrot', target: 'local' }, folder)[Symbol.dispose]()
    await page.goto(address)
    await page.getByRole('heading', { name: 'mandelbrot: ended' }).waitFor()
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      expect(await page.evaluate(LOWEST_CONTRAST)).toBeGreaterThanOrEqual(4.5)
    }
    await page.setViewportSize({ width: 360, height: 640 })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360)
  })
})

function happen(): void {
  Object.assign(counts, { inFlight: 2, done: 198, failed: 2 })
  events['worker:ready'].emit({ workerId: 'worker-1', pool: 'default' })
  events['map:started'].emit({ mapId: 1, functionId: call.functionId, pool: 'default', counts })
  for (let callId = 0; callId < 198; callId++) {
    const bytes = { sentBytes: 10, receivedBytes: 10 }
    events['call:done'].emit({ ...call, callId, workerId: 'worker-1', durationMs: callId, ...bytes })
  }
  events['call:retried'].emit({
    ...call,
    callId: 200,
    workerId: 'worker-1',
    durationMs: 5,
    error: new Error('the worker is gone'),
  })
  events['call:failed'].emit({
    ...call,
    callId: 201,
    workerId: 'worker-1',
    durationMs: 5,
    error: new Error('bad frame'),
  })
  const error = new RangeError('no such frame')
  events['call:failed'].emit({ ...call, attempt: 2, callId: 200, workerId: 'worker-1', durationMs: 5, error })
  events['log:line'].emit({ workerId: 'worker-1', stream: 'stdout', line: 'frame 7 is ready' })
}

/** The lowest contrast of the page's text colors to its backgrounds, as WCAG defines it. */
const LOWEST_CONTRAST = `(() => {
  const style = getComputedStyle(document.documentElement)
  const light = (name) => {
    const hex = style.getPropertyValue(name).trim()
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
      .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const ratios = ['--text', '--soft', '--accent', '--good', '--bad'].flatMap((text) =>
    ['--page', '--card'].map((back) => {
      const [low, high] = [light(text), light(back)].sort((a, b) => a - b)
      return (high + 0.05) / (low + 0.05)
    }),
  )
  return Math.min(...ratios)
})()`
