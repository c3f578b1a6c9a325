import { createServer as createHttpServer } from 'node:http'
import type { IncomingMessage, RequestListener, Server, ServerOptions } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

import type { WorkerSettings } from '../settings.ts'
import type { Strangers } from './strangers.ts'

/** Time for the head of a request, from when the connection is there. */
const HEADERS_MS = 30_000
/** Time for a whole request. */
const REQUEST_MS = 300_000
const CHECK_MS = 5_000
const TLS_HANDSHAKE_MS = 10_000

export interface PortOptions {
  readonly tls: WorkerSettings['tls']
  readonly listener: RequestListener
  readonly strangers: Strangers
  readonly onUpgrade: (request: IncomingMessage, socket: Socket, head: Buffer) => void
  readonly onFault: (error: unknown) => void
}

/** The server of a worker's port. Nothing that comes in there, or breaks there, ends the process. */
export function createPort({ tls, listener, strangers, onUpgrade, onFault }: PortOptions): Server {
  const limits: ServerOptions = {
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: CHECK_MS,
  }
  const server = tls === undefined ? createHttpServer(limits) : createTlsServer(tls, limits)
  server.on('connection', (socket: Socket) => strangers.add(socket))
  server.on('request', listener)
  // Whether the body is wanted is known when the head has been read.
  server.on('checkContinue', listener)
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    try {
      if (stream instanceof Socket) onUpgrade(request, stream, head)
      else stream.destroy()
    } catch (error) {
      onFault(error)
      stream.destroy()
    }
  })
  // No file left for another connection, and the like. While it begins to listen, it is heard by who waits for that.
  server.on('listening', () => server.on('error', onFault))
  return server
}

function createTlsServer({ certificate, key }: NonNullable<WorkerSettings['tls']>, limits: ServerOptions): Server {
  const tls = { cert: certificate, key, ALPNProtocols: ['http/1.1'], handshakeTimeout: TLS_HANDSHAKE_MS }
  return createHttpsServer({ ...tls, ...limits })
}
