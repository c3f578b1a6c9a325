import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { Readable } from 'node:stream'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { registryUnreachable } from './build-errors.ts'

/** How the registry is reached, when not by a connection to its name. */
export interface RegistryRoute {
  /** Opens a byte stream to the registry, through a port-forward for example. */
  readonly dial?: (options: { readonly signal: AbortSignal }) => Promise<Duplex>
  /** Certificates of a private authority, PEM. */
  readonly ca?: string
}

export interface HttpRequest {
  readonly method: string
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | { readonly stream: Readable; readonly size: number }
  readonly signal: AbortSignal
}

/** A response whose body must be read to its end, or destroyed. */
export interface HttpResponse {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: IncomingMessage
}

/**
 * One HTTP exchange. `fetch` cannot be used: it takes neither a stream to speak over nor a private authority.
 * @throws BuildError `REGISTRY_UNREACHABLE`
 */
export async function sendHttp(request: HttpRequest, route: RegistryRoute): Promise<HttpResponse> {
  const { url, signal } = request
  signal.throwIfAborted()
  try {
    const connection = await route.dial?.({ signal })
    return await exchange(request, route, connection)
  } catch (error) {
    signal.throwIfAborted()
    throw registryUnreachable(url.host, error)
  }
}

/** Reads a body of at most `maxBytes`; what is longer is not what was asked for. */
export async function readBody(response: HttpResponse, maxBytes: number = 16 * 1024 * 1024): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of response.body) {
    if (!Buffer.isBuffer(part)) continue
    size += part.length
    if (size > maxBytes) throw new RangeError(`The registry's answer is longer than ${maxBytes} bytes.`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function exchange(request: HttpRequest, route: RegistryRoute, connection: Duplex | undefined): Promise<HttpResponse> {
  const { url, method, headers = {}, body, signal } = request
  const size =
    body instanceof Uint8Array ? body.length : (body?.size ?? (method === 'GET' || method === 'HEAD' ? undefined : 0))
  const send = url.protocol === 'http:' ? requestHttp : requestHttps
  return new Promise((resolve, reject) => {
    const outgoing = send(url, {
      method,
      signal,
      headers: { ...headers, ...(size === undefined ? {} : { 'content-length': size }) },
      // Also where NODE_TLS_REJECT_UNAUTHORIZED says otherwise: logins are sent here, and `caFile` is the way to trust.
      rejectUnauthorized: true,
      ...(route.ca === undefined ? {} : { ca: route.ca }),
      ...(connection === undefined ? {} : { createConnection: () => connection }),
    })
    outgoing.on('error', reject)
    outgoing.on('response', (incoming) => {
      if (connection !== undefined) incoming.once('close', () => connection.destroy())
      resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: incoming })
    })
    sendBody(outgoing, body).catch(reject)
  })
}

async function sendBody(outgoing: ClientRequest, body: HttpRequest['body']): Promise<void> {
  if (body === undefined || body instanceof Uint8Array) outgoing.end(body)
  else await pipeline(body.stream, outgoing)
}
