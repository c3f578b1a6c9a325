import type { Duplex } from 'node:stream'

import { WIRE_VERSION } from './version.ts'

/** Longest answer that is read before giving up. */
const MAX_RESPONSE_BYTES = 16 * 1024
const HEADERS_END = '\r\n\r\n'

export interface HandshakeOptions {
  readonly token: string
  /** The manifest hash: a worker of another build refuses. */
  readonly build: string
  /** For the `Host` header; default `turbolift`. An ingress needs the real one. */
  readonly host?: string
  /** Default `/connect`. */
  readonly path?: string
  readonly signal?: AbortSignal
}

/**
 * Turns a dialled stream into one that speaks frames. The stream is left paused, with the bytes that came right after
 * the answer put back, so that no frame is missed: listen for `data`, then `resume()`. On failure it is destroyed.
 * @throws HandshakeError if the worker refuses, or does not answer as a worker does; `signal.reason` on abort
 */
export function performHandshake(stream: Duplex, options: HandshakeOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0)
    const settle = (error: unknown): void => {
      stream.off('data', onData).off('error', settle).off('close', onClose)
      options.signal?.removeEventListener('abort', onAbort)
      if (error === undefined) return resolve()
      stream.on('error', ignoreLateError).destroy()
      reject(error)
    }
    const onData = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk])
      const end = received.indexOf(HEADERS_END)
      if (end === -1) {
        if (received.length > MAX_RESPONSE_BYTES) settle(new HandshakeError(0, 'it did not answer with HTTP'))
        return
      }
      const refusal = parseRefusal(received, end)
      if (refusal === undefined) {
        stream.pause()
        const rest = received.subarray(end + HEADERS_END.length)
        if (rest.length > 0) stream.unshift(rest)
      }
      settle(refusal)
    }
    const onClose = (): void => settle(new HandshakeError(0, 'it closed the connection'))
    const onAbort = (): void => settle(options.signal?.reason)
    if (options.signal?.aborted === true) return onAbort()
    options.signal?.addEventListener('abort', onAbort, { once: true })
    stream.on('data', onData).on('error', settle).on('close', onClose)
    stream.write(toRequest(options))
  })
}

/** The worker does not accept the connection. */
export class HandshakeError extends Error {
  override name = 'HandshakeError'
  /** 401: wrong token; 409: other build; 426: other wire version; 503: draining; 0: no HTTP answer at all. */
  readonly status: number
  constructor(status: number, why: string) {
    super(`The worker refused the connection: ${why}.`)
    this.status = status
  }
}

/** After a failed handshake nobody listens any more, and an unheard error would end the program. */
function ignoreLateError(): void {
  return undefined
}

function toRequest({ token, build, host = 'turbolift', path = '/connect' }: HandshakeOptions): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: Upgrade',
    `Upgrade: turbolift/${WIRE_VERSION}`,
    `Authorization: Bearer ${token}`,
    `Turbolift-Build: ${build}`,
  ]
  return lines.join('\r\n') + HEADERS_END
}

function parseRefusal(received: Buffer, headersEnd: number): HandshakeError | undefined {
  const statusLine = received.toString('latin1', 0, Math.min(headersEnd, received.indexOf('\r\n')))
  const [, status, reason] = /^HTTP\/1\.1 (\d{3}) ?(.*)$/.exec(statusLine) ?? []
  if (status === undefined) return new HandshakeError(0, 'it did not answer with HTTP')
  if (status === '101') return undefined
  const body = received.toString('utf8', headersEnd + HEADERS_END.length).trim()
  return new HandshakeError(Number(status), `${status} ${body === '' ? (reason ?? '') : body}`)
}
