import { request as httpRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'

import { delay, performance, timeoutSignal } from '@turbolift/worker-base/clock'

import { DeployError } from '../../errors.ts'
import type { ClusterAccess } from './access.ts'
import { clusterUnreachable, parseStatus, toRequestError } from './errors.ts'
import type { ApiStatus } from './errors.ts'

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path below the server's root (`/api/v1/…`). */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly body?: unknown
  /** Default `application/json`. */
  readonly contentType?: string
  readonly signal?: AbortSignal | undefined
  /** For one attempt, from its start to the answer's headers (or to its end, for `send`). Default 15_000. */
  readonly timeoutMs?: number
  /** Attempts are repeated until this time has passed. Default 60_000. */
  readonly patienceMs?: number
}

export interface ApiAnswer {
  readonly status: number
  readonly body: string
  /** Texts of `Warning` headers: what the API server would refuse later. */
  readonly warnings: readonly string[]
  /** 1, or more when earlier attempts failed and may have had an effect. */
  readonly attempts: number
}

/** What requests need from their surroundings. */
export interface RequestContext {
  readonly access: ClusterAccess
  readonly userAgent: string
  /** Open watches and connections do not keep the process alive. */
  readonly isBackground: boolean
}

/**
 * Sends a request until it is answered, and reads the whole answer.
 * Repeats after lost connections, time-outs, 429 and 5xx, with backoff, jitter and `Retry-After`.
 * @throws ClusterRequestError named by its reason; DeployError `CLUSTER_UNREACHABLE`
 */
export async function send(context: RequestContext, request: ApiRequest): Promise<ApiAnswer> {
  const { answer, attempts } = await repeat(context, request, async (attempt) => {
    const response = await open(context, { ...request, signal: attempt.signal }, attempt)
    return { response, body: await readText(response) }
  })
  const { response, body } = answer
  return { status: response.statusCode ?? 0, body, warnings: parseWarnings(response.headers['warning']), attempts }
}

/**
 * Like `send`, for answers that go on (watch, log): resolves at the headers; the signal ends the stream.
 */
export async function stream(context: RequestContext, request: ApiRequest): Promise<IncomingMessage> {
  const { answer } = await repeat(context, request, (attempt) => open(context, request, attempt))
  return answer
}

interface Attempt {
  readonly isStale: boolean
  /** The caller's signal, or the attempt's time-out. */
  readonly signal: AbortSignal
}

type Outcome<T> =
  | { readonly kind: 'answer'; readonly answer: T }
  | { readonly kind: 'again'; readonly cause: unknown; readonly status: ApiStatus | undefined }

async function repeat<T>(
  context: RequestContext,
  request: ApiRequest,
  run: (attempt: Attempt) => Promise<T>,
): Promise<{ readonly answer: T; readonly attempts: number }> {
  const name = `${request.method} ${request.path}`
  const began = performance.now()
  const patienceMs = request.patienceMs ?? 60_000
  let isStale = false
  for (let attempts = 1; ; attempts += 1) {
    request.signal?.throwIfAborted()
    const outcome = await tryOnce(context.access.server, request, (signal) => run({ isStale, signal }))
    if (outcome.kind === 'answer') return { answer: outcome.answer, attempts }
    const { status, cause } = outcome
    // Credentials may just have expired: once more with fresh ones.
    const isExpired: boolean = status?.code === 401 && !isStale
    if (status !== undefined && !isExpired && !isPassing(status))
      throw toRequestError({ request: name, status, attempts })
    isStale ||= isExpired
    const pauseMs = toPauseMs(attempts, status)
    if (performance.now() - began + pauseMs > patienceMs) throw clusterUnreachable(name, context.access.server, cause)
    await delay(pauseMs, request.signal === undefined ? {} : { signal: request.signal })
  }
}

async function tryOnce<T>(
  server: URL,
  request: ApiRequest,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<Outcome<T>> {
  const timeout = timeoutSignal(request.timeoutMs ?? 15_000)
  const signal = request.signal === undefined ? timeout : AbortSignal.any([request.signal, timeout])
  try {
    return { kind: 'answer', answer: await run(signal) }
  } catch (error) {
    request.signal?.throwIfAborted()
    if (error instanceof Refusal) return { kind: 'again', cause: error, status: error.status }
    if (timeout.aborted)
      return {
        kind: 'again',
        cause: new Error(`no answer within ${request.timeoutMs ?? 15_000} ms`),
        status: undefined,
      }
    if (isConnectionError(error)) return { kind: 'again', cause: error, status: undefined }
    if (error instanceof DeployError) throw error
    // An unknown host name, a certificate that is not trusted: trying again does not help.
    throw clusterUnreachable(`${request.method} ${request.path}`, server, error)
  }
}

/** An answer with an error status, on its way to `repeat`. */
class Refusal extends Error {
  readonly status: ApiStatus
  constructor(status: ApiStatus) {
    super(status.message)
    this.status = status
  }
}

async function open(context: RequestContext, request: ApiRequest, attempt: Attempt): Promise<IncomingMessage> {
  const response = await exchange(context, request, attempt)
  const status = response.statusCode ?? 0
  if (status < 300) return response
  const body = await readText(response)
  throw new Refusal(parseStatus(status, body, response.headers['retry-after']))
}

async function exchange(context: RequestContext, request: ApiRequest, attempt: Attempt): Promise<IncomingMessage> {
  const { access, userAgent } = context
  const { headers, agent } = await access.authorize({ isStale: attempt.isStale })
  const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body))
  const options = {
    method: request.method,
    agent,
    headers: {
      ...headers,
      accept: 'application/json',
      'user-agent': userAgent,
      // Explicit also for DELETE, where Node would send a body that the server takes for the next request.
      ...(body === undefined
        ? {}
        : { 'content-type': request.contentType ?? 'application/json', 'content-length': body.length }),
    },
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  }
  const url = toUrl(access.server, request)
  return new Promise((resolve, reject) => {
    const outgoing = url.protocol === 'http:' ? httpRequest(url, options) : httpsRequest(url, options)
    const abort = () => outgoing.destroy(toError(attempt.signal.reason))
    attempt.signal.addEventListener('abort', abort, { once: true })
    outgoing.once('close', () => attempt.signal.removeEventListener('abort', abort))
    outgoing.once('response', (response) => {
      attempt.signal.removeEventListener('abort', abort)
      resolve(response)
    })
    outgoing.once('error', reject)
    if (attempt.signal.aborted) abort()
    outgoing.end(body)
  })
}

/** The server's address may have a path of its own (Rancher and other proxies). */
export function toUrl(server: URL, { path, query }: Pick<ApiRequest, 'path' | 'query'>): URL {
  const url = new URL(server)
  url.pathname = `${server.pathname.replace(/\/$/, '')}${path}`
  for (const [name, value] of Object.entries(query ?? {}))
    if (value !== undefined) url.searchParams.append(name, String(value))
  return url
}

export async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of response) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

// 499-style and gateway statuses included: whatever stands before the API server may speak for it.
function isPassing({ code, reason }: ApiStatus): boolean {
  if (code === 429 || code === 502 || code === 503 || code === 504) return true
  return code === 500 && (reason === 'InternalError' || reason === 'ServerTimeout' || reason === 'Http500')
}

const passingCodes: ReadonlySet<unknown> = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
  'ERR_STREAM_PREMATURE_CLOSE',
  'HPE_INVALID_EOF_STATE',
])

export function isConnectionError(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isConnectionError)
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? error.code : undefined
  return passingCodes.has(code) || error.message === 'aborted' || error.message === 'socket hang up'
}

/** 0.25 s, doubled each time up to 10 s, with full jitter; at least what the server asks for. */
export function toPauseMs(attempts: number, status?: ApiStatus): number {
  const backoffMs = Math.min(10_000, 250 * 2 ** Math.min(attempts - 1, 10)) * Math.random()
  return Math.max(backoffMs, (status?.retryAfterSeconds ?? 0) * 1000)
}

/** `299 - "text"`, possibly several in one header. */
export function parseWarnings(header: string | undefined): readonly string[] {
  return [...(header ?? '').matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text]) =>
    (text ?? '').replaceAll(/\\(.)/g, '$1'),
  )
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}
