import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

import { delay as pause } from '@turbolift/worker-base/clock'
import { EventStream, H3 } from 'h3'
import { toNodeHandler } from 'h3/node'
import type { H3Event } from 'h3'

import { pageFiles } from './page-files.ts'
import { WatchedRuns } from './runs.ts'

export { openWatchFolder } from './watch-folder.ts'

const REFRESH_MS = 500

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': [
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:",
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

export interface WatchPageOptions {
  /** As `openWatchFolder` returned it. */
  readonly folder: string
  /** First part of every path: who does not know it sees nothing. */
  readonly base: string
  /** Whether the server before it lets through only what is asked for by a name of its own, as Vite's does. Default no. */
  readonly hasHostCheck?: boolean
}

/** The page that shows the runs of a watch folder: `GET <base>/`, its files beside it, and `<base>/events`. */
export function createWatchPage({ folder, base, hasHostCheck = false }: WatchPageOptions): H3 {
  const page = new H3()
  page.get('/**', (event) => {
    const { pathname } = event.url
    if (!startsWithSecret(pathname, `${base}/`) || isFromAnotherSite(event)) return notFound()
    if (!hasHostCheck && !isForLoopback(event)) return notFound()
    const name = pathname.slice(base.length + 1)
    if (name === 'events') return streamRuns(event, new WatchedRuns(folder))
    const file = Object.hasOwn(pageFiles, name) ? pageFiles[name] : undefined
    if (file === undefined) return notFound()
    return new Response(file.text, { headers: { ...HEADERS, 'content-type': `${file.type}; charset=utf-8` } })
  })
  return page
}

/** The same page for a server of Node's own kind, such as Vite's. */
export function createWatchHandler(options: WatchPageOptions): WatchHandler {
  const handle = toNodeHandler(createWatchPage(options))
  return async (request, response) => {
    await handle(request, response)
  }
}

export type WatchHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

function startsWithSecret(path: string, secret: string): boolean {
  const [given, wanted] = [Buffer.from(path.slice(0, secret.length)), Buffer.from(secret)]
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

// Browsers say where a request comes from; other pages have no business here.
function isFromAnotherSite({ req }: H3Event): boolean {
  return ['cross-site', 'same-site'].includes(req.headers.get('sec-fetch-site') ?? '')
}

// A name of somebody else that leads to 127.0.0.1 would make his page one of this site.
function isForLoopback({ req }: H3Event): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(req.headers.get('host') ?? '')
}

function notFound(): Response {
  return new Response('Not found', { status: 404, headers: HEADERS })
}

/** Sends the runs that changed, and the order of all, until the browser goes away. */
function streamRuns(event: H3Event, runs: WatchedRuns): EventStream {
  for (const [name, value] of Object.entries(HEADERS)) event.res.headers.set(name, value)
  const stream = new EventStream(event)
  const gone = new AbortController()
  stream.onClosed(() => gone.abort())
  void sendRuns(stream, runs, gone.signal)
  return stream
}

async function sendRuns(stream: EventStream, runs: WatchedRuns, signal: AbortSignal): Promise<void> {
  const sent = new Map<string, string>()
  let sentOrder = 'nothing yet'
  try {
    while (!signal.aborted) {
      const all = await runs.read()
      const changed = all.filter((run) => sent.get(run.runId) !== `${run.at} ${run.state}`)
      for (const run of changed) sent.set(run.runId, `${run.at} ${run.state}`)
      const order = all.map((run) => run.runId)
      const isNews = changed.length > 0 || order.join() !== sentOrder
      sentOrder = order.join()
      if (isNews) await stream.push({ event: 'runs', data: JSON.stringify({ changed, order }) })
      await pause(REFRESH_MS, { signal, ref: false })
    }
  } catch (error) {
    if (signal.aborted) return
    // The browser shows it, and asks again.
    await stream.push({ event: 'problem', data: error instanceof Error ? error.message : String(error) })
    await stream.close()
  }
}
