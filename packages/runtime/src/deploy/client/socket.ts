import type { IncomingMessage } from 'node:http'

import { clearInterval, setInterval } from '@turbolift/worker-base/clock'
import type { WebSocket } from 'ws'

import { clusterUnreachable, parseStatus, toRequestError } from './errors.ts'
import { readText, toUrl } from './request.ts'
import type { ApiRequest, RequestContext } from './request.ts'

/** Load balancers before API servers cut connections that are quiet for a minute or more. */
const pingMs = 15_000

export interface SocketRequest extends Pick<ApiRequest, 'path' | 'query'> {
  /** Subprotocols, the best first. */
  readonly protocols: readonly string[]
  readonly signal: AbortSignal
  /** Installed before the connection opens: the first frame may arrive together with the server's answer. */
  readonly onFrame: (frame: Buffer) => void
}

/**
 * Opens a WebSocket to the API server (attach, port-forward), kept alive by pings.
 * It is ended when a ping stays unanswered.
 * @throws ClusterRequestError, DeployError `CLUSTER_UNREACHABLE`
 */
export async function openSocket(context: RequestContext, request: SocketRequest): Promise<WebSocket> {
  request.signal.throwIfAborted()
  const { headers, tls, agent } = await context.access.authorize()
  const { WebSocket } = await import('./websocket.ts')
  const url = toUrl(context.access.server, request)
  const name = `GET ${request.path}`
  url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:'
  const socket = new WebSocket(url, [...request.protocols], {
    ...tls,
    ...(context.access.isProxied ? { agent } : {}),
    headers: { ...toTexts(headers), 'user-agent': context.userAgent },
    handshakeTimeout: 15_000,
    perMessageDeflate: false,
    skipUTF8Validation: true,
  })
  socket.binaryType = 'nodebuffer'
  if (context.isBackground) socket.once('upgrade', (response) => response.socket.unref())
  socket.on('message', (data) => request.onFrame(toBuffer(data)))
  await opened(socket, { name, server: context.access.server, signal: request.signal })
  keepAlive(socket)
  return socket
}

interface Opening {
  readonly name: string
  readonly server: URL
  readonly signal: AbortSignal
}

function opened(socket: WebSocket, { name, server, signal }: Opening): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(signal.reason)
      socket.terminate()
    }
    signal.addEventListener('abort', abort, { once: true })
    socket.once('open', () => {
      signal.removeEventListener('abort', abort)
      resolve()
    })
    socket.once('unexpected-response', (_request, response) => {
      signal.removeEventListener('abort', abort)
      // Terminated only then: it raises an error of its own, without the reason.
      void refuse(name, response)
        .then(reject, reject)
        .finally(() => socket.terminate())
    })
    // Stays for the socket's life: what ends it is told by its `close` event.
    socket.on('error', (error) => {
      signal.removeEventListener('abort', abort)
      reject(clusterUnreachable(name, server, error))
    })
  })
}

async function refuse(name: string, response: IncomingMessage): Promise<Error> {
  const status = parseStatus(response.statusCode ?? 0, await readText(response), response.headers['retry-after'])
  return toRequestError({ request: name, status, attempts: 1 })
}

function keepAlive(socket: WebSocket): void {
  let isAnswered = true
  const timer = setInterval(() => {
    if (!isAnswered) return socket.terminate()
    isAnswered = false
    socket.ping()
  }, pingMs)
  timer.unref()
  const answer = () => (isAnswered = true)
  socket.on('pong', answer)
  // A socket that is paused for back-pressure reads no pong; frames that still come count as life.
  socket.on('message', answer)
  socket.once('close', () => clearInterval(timer))
}

function toBuffer(data: Buffer | ArrayBuffer | Buffer[]): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data)
  return Buffer.isBuffer(data) ? data : Buffer.from(data)
}

function toTexts(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}
