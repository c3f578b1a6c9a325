import type { IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'

import { clearTimeout, delay, setTimeout } from '@turbolift/worker-base/clock'

import { ClusterRequestError, isRefusal, isUnreachable, parseStatus, toRequestError } from './errors.ts'
import type { Kind, Kinds } from './kinds.ts'
import { parseList, parseWatchLine } from './objects.ts'
import type { ApiObject } from './objects.ts'
import { isConnectionError, send, stream, toPauseMs } from './request.ts'
import type { RequestContext } from './request.ts'

export interface WatchRequest {
  readonly path: string
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  readonly signal: AbortSignal
  /** A watch without any line, bookmarks included, is opened anew after this time. Default 75_000. */
  readonly inactivityMs?: number
}

export type WatchEvent<K extends Kind> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: Kinds[K] }
  /** Everything that existed at the start has been told. */
  | { readonly type: 'SYNCED' }

/** Objects known to the consumer, so that a new list can say what went missing. */
type Known = Map<string, ApiObject>

type RawEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: ApiObject }
  | { readonly type: 'SYNCED' }

/**
 * Tells what exists, then every change, until the signal aborts (it then throws the signal's reason).
 * Lost connections, expired versions (410) and watches that fall silent are mended; changes missed meanwhile are told.
 * @throws ClusterRequestError for what does not pass, such as missing permission
 */
export async function* watchObjects(context: RequestContext, request: WatchRequest): AsyncGenerator<RawEvent> {
  const known: Known = new Map()
  let version: string | undefined
  for (let failures = 0; ;) {
    request.signal.throwIfAborted()
    try {
      if (version === undefined) {
        const list = await listAll(context, request)
        yield* toChanges(known, list.items)
        version = list.version
      }
      for await (const line of follow(context, request, version)) {
        failures = 0
        version = line.version ?? version
        if (line.event !== undefined) yield* record(known, line.event)
      }
    } catch (error) {
      request.signal.throwIfAborted()
      failures += 1
      if (isExpired(error)) version = undefined
      else if (!isPassing(error)) throw error
    }
    await delay(toPauseMs(failures), { signal: request.signal, ref: !context.isBackground })
  }
}

async function listAll(
  context: RequestContext,
  { path, labelSelector, fieldSelector, signal }: WatchRequest,
): Promise<{ readonly items: readonly ApiObject[]; readonly version: string }> {
  const items: ApiObject[] = []
  for (let next: string | undefined, version = ''; ;) {
    const query = { labelSelector, fieldSelector, limit: 500, continue: next }
    const page = parseList((await send(context, { method: 'GET', path, query, signal, timeoutMs: 30_000 })).body)
    items.push(...page.items)
    version ||= page.version
    next = page.next
    if (next === undefined) return { items, version: page.version || version }
  }
}

export { listAll as listObjects }

function* toChanges(known: Known, items: readonly ApiObject[]): Generator<RawEvent> {
  const present = new Set(items.map(({ metadata }) => metadata.uid))
  for (const [uid, object] of known) if (!present.has(uid)) yield* record(known, { type: 'DELETED', object })
  for (const object of items) {
    const before = known.get(object.metadata.uid)
    if (before?.metadata.resourceVersion === object.metadata.resourceVersion) continue
    yield* record(known, { type: before === undefined ? 'ADDED' : 'MODIFIED', object })
  }
  yield { type: 'SYNCED' }
}

function* record(known: Known, event: RawEvent): Generator<RawEvent> {
  if (event.type === 'DELETED') known.delete(event.object.metadata.uid)
  else if (event.type !== 'SYNCED') known.set(event.object.metadata.uid, event.object)
  yield event
}

interface Line {
  readonly version: string | undefined
  readonly event: RawEvent | undefined
}

async function* follow(context: RequestContext, request: WatchRequest, version: string): AsyncGenerator<Line> {
  const { path, labelSelector, fieldSelector } = request
  // The server ends the watch after this time; spread, so that many programs do not come back at once.
  const timeoutSeconds = 240 + Math.floor(Math.random() * 60)
  const query = {
    watch: true,
    allowWatchBookmarks: true,
    resourceVersion: version,
    timeoutSeconds,
    labelSelector,
    fieldSelector,
  }
  const response = await stream(context, { method: 'GET', path, query, signal: request.signal })
  if (context.isBackground) response.socket.unref()
  try {
    for await (const line of readLines(response, request.inactivityMs ?? 75_000)) {
      const parsed = parseWatchLine(line)
      if (parsed.type === 'ERROR')
        throw toRequestError({
          request: `GET ${path} (watch)`,
          status: parseStatus(parsed.code, parsed.text, undefined),
          attempts: 1,
        })
      const event = parsed.type === 'BOOKMARK' ? undefined : { type: parsed.type, object: parsed.object }
      yield { version: parsed.version, event }
    }
  } finally {
    response.destroy()
  }
}

class SilentWatch extends Error {}

async function* readLines(response: IncomingMessage, inactivityMs: number): AsyncGenerator<string> {
  const silence = setTimeout(() => response.destroy(new SilentWatch(`silent for ${inactivityMs} ms`)), inactivityMs)
  // Does not keep the program alive: the connection does, as long as it is open.
  silence.unref()
  let failure: unknown
  response.once('error', (error) => (failure = error))
  try {
    for await (const line of createInterface({ input: response, crlfDelay: Infinity })) {
      silence.refresh()
      if (line !== '') yield line
    }
  } finally {
    clearTimeout(silence)
  }
  // The line reader ends quietly when its input breaks.
  if (failure !== undefined) throw failure
}

function isExpired(error: unknown): boolean {
  return (
    isRefusal(error, 'Expired') ||
    isRefusal(error, 'Gone') ||
    (error instanceof ClusterRequestError && error.status.code === 410)
  )
}

function isPassing(error: unknown): boolean {
  if (error instanceof SilentWatch || error instanceof SyntaxError || isConnectionError(error)) return true
  if (error instanceof ClusterRequestError) return error.status.code >= 500 || error.status.code === 429
  return isUnreachable(error)
}
