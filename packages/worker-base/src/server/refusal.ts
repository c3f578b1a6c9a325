import type { IncomingMessage, ServerResponse } from 'node:http'

/** A request that no function answers: an HTTP status, and why. */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly status: number
  readonly data: Readonly<Record<string, unknown>> | undefined
  readonly headers: Readonly<Record<string, string>>
  constructor(status: number, why: string, { data, headers = {} }: RefusalOptions = {}) {
    super(why)
    this.status = status
    this.data = data
    this.headers = headers
  }
}

interface RefusalOptions {
  readonly data?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
}

/** Answers a request that is not granted. What was half answered already is cut off. */
export function refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const { status, message, data } = refusal
  // What is left of the body is not read: the next request on this connection could not be found behind it.
  const close = request.complete ? undefined : { connection: 'close' }
  writeJson(response, { status, headers: { ...refusal.headers, ...close } }, { status, message, data })
}

export interface AnswerHead {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
}

export function writeJson(response: ServerResponse, head: AnswerHead, body: unknown): void {
  writeText(
    response,
    { ...head, headers: { ...head.headers, 'content-type': 'application/json' } },
    JSON.stringify(body),
  )
}

/** Also for `HEAD`, whose answer has no body: Node leaves it out. */
export function writeText(response: ServerResponse, { status, headers }: AnswerHead, body: string | Uint8Array): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}
