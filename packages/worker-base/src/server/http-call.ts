import { DevalueError, parse, stringify } from 'devalue'
import { HTTPError } from 'h3'

import type { PendingCall } from '../pool/pending-call.ts'
import type { ExecutorPool } from '../pool/pool.ts'
import { toFrame } from '../wire/frame-batch.ts'
import type { Frame } from '../wire/frame.ts'
import { parseMessage } from '../wire/message-codec.ts'
import type { Log, Lost, Message } from '../wire/messages.ts'
import { MalformedValueError, decodeError, decodeValue, encodeError } from '../wire/values.ts'
import type { WireValue } from '../wire/values.ts'

/** How a body is written: JSON, or devalue text, which keeps dates, maps, typed arrays and so on. */
export type BodyFormat = 'json' | 'devalue'

export const BODY_TYPE: Readonly<Record<BodyFormat, string>> = {
  json: 'application/json',
  devalue: 'application/x-devalue',
}

/** How long a call may go on whose caller is gone. */
const GONE_GRACE_MS = 1000

export interface HttpCall {
  readonly liftId: string
  readonly format: BodyFormat
  /** The arguments, as an array. */
  readonly body: string
  /** Aborted when the caller closes the connection. */
  readonly signal: AbortSignal
}

export interface HttpCallServices {
  readonly pool: ExecutorPool
  /** Gets what the call prints. */
  readonly onLog: (log: Log) => void
}

/** Runs one call and answers as HTTP does: the result, a line for each item of a stream, or an error as JSON. */
export function answerHttpCall({ pool, onLog }: HttpCallServices, call: HttpCall): Promise<Response> {
  return new Promise((resolve) => {
    let stream: LineStream | undefined
    const frame = toFrame({
      kind: 'call',
      id: 0,
      liftId: call.liftId,
      captures: 0,
      attempt: 1,
      timeoutMs: 0,
      results: 'items',
      value: parseArguments(call),
    })
    const pending: PendingCall = pool.submit(frame, {
      onFrame: (answer) => settle(parseMessage(answer)),
      onLost: (lost) => settle({ kind: 'lost', id: 0, lost }),
    })
    const abort = (): void => pool.cancel(pending, toCancel(), GONE_GRACE_MS)
    const allow = (): void => pool.allow(pending, toFrame({ kind: 'credit', id: 0, items: 1 }))
    call.signal.addEventListener('abort', abort, { once: true })
    allow()

    function settle(message: Message): void {
      if (message.kind === 'log') {
        onLog(message.log)
      } else if (message.kind === 'item') {
        stream ??= openStream()
        stream.write(toLine(message.value, call.format))
      } else if (message.kind === 'end') {
        stream ??= openStream()
        stream.end(undefined)
      } else if (stream !== undefined && (message.kind === 'error' || message.kind === 'lost')) {
        stream.end(JSON.stringify(toFailure(message).body))
      } else {
        const response = toResponse(message, call.format)
        if (response !== undefined) resolve(response)
      }
    }

    function openStream(): LineStream {
      const opened = createLineStream({ onWanted: allow, onCancel: abort })
      resolve(new Response(opened.body, { headers: { 'content-type': 'application/x-ndjson' } }))
      return opened
    }
  })
}

/** @throws HTTPError 400 */
function parseArguments({ format, body }: HttpCall): WireValue {
  try {
    const values: unknown = format === 'json' ? JSON.parse(body) : parse(body)
    if (Array.isArray(values)) return { format, text: body, parts: [] }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new HTTPError({ status: 400, message: `The body is not valid ${format}: ${why}` })
  }
  throw new HTTPError({ status: 400, message: 'The body must be an array: the arguments of the function.' })
}

function toCancel(): Frame {
  const value = encodeError(new Error('The caller closed its connection.'))
  return toFrame({ kind: 'cancel', id: 0, graceMs: GONE_GRACE_MS, value })
}

function toResponse(message: Message, format: BodyFormat): Response | undefined {
  if (message.kind === 'error' || message.kind === 'lost') {
    const failure = toFailure(message)
    return Response.json(failure.body, { status: failure.status })
  }
  if (message.kind !== 'result') return undefined
  const text = toText(message.value, format)
  if (text !== undefined) return new Response(text, { headers: { 'content-type': BODY_TYPE[format] } })
  return Response.json(notAcceptable(format), { status: 406 })
}

function toLine(value: WireValue, format: BodyFormat): string {
  return toText(value, format) ?? JSON.stringify(notAcceptable(format))
}

function notAcceptable(format: BodyFormat): Failure['body'] {
  const other = BODY_TYPE[format === 'json' ? 'devalue' : 'json']
  const message = `The result cannot be written as ${format}. Perhaps "content-type: ${other}" can.`
  return { error: { name: 'NotAcceptable', message } }
}

/** `undefined` if the format cannot hold it: a BigInt or a cycle in JSON, an error or a Blob in devalue. */
function toText(value: WireValue, format: BodyFormat): string | undefined {
  const decoded = decodeValue(value)
  try {
    return format === 'devalue' ? stringify(decoded) : (JSON.stringify(decoded) ?? 'null')
  } catch (error) {
    if (error instanceof TypeError || error instanceof DevalueError) return undefined
    throw error
  }
}

interface Failure {
  readonly status: number
  readonly body: { readonly error: Readonly<Record<string, unknown>> }
}

const LOST_STATUS: Readonly<Record<Lost['reason'], number>> = {
  'unknown-function': 404,
  aborted: 503,
  crashed: 500,
  draining: 503,
  recalled: 503,
  exit: 500,
  'out-of-memory': 500,
  timeout: 504,
  unsendable: 500,
}

function toFailure(message: Extract<Message, { kind: 'error' | 'lost' }>): Failure {
  if (message.kind === 'lost') {
    const { reason, detail } = message.lost
    return { status: LOST_STATUS[reason], body: { error: { name: reason, message: detail } } }
  }
  const thrown = decodeError(message.value)
  if (!(thrown instanceof Error)) return { status: 500, body: { error: { name: 'Thrown', message: String(thrown) } } }
  const status = thrown.name === MalformedValueError.name ? 400 : 500
  return { status, body: { error: { name: thrown.name, message: thrown.message, stack: thrown.stack } } }
}

interface LineStream {
  readonly body: ReadableStream<Uint8Array>
  write(line: string): void
  end(lastLine: string | undefined): void
}

/** Lines as the receiver takes them: `onWanted` asks for the next one. */
function createLineStream(events: { readonly onWanted: () => void; readonly onCancel: () => void }): LineStream {
  const encoder = new TextEncoder()
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  let isCancelled = false
  const body = new ReadableStream<Uint8Array>({
    start: (created) => {
      controller = created
    },
    pull: events.onWanted,
    cancel: () => {
      isCancelled = true
      events.onCancel()
    },
  })
  const write = (line: string): void => {
    if (!isCancelled) controller?.enqueue(encoder.encode(`${line}\n`))
  }
  return {
    body,
    write,
    end(lastLine) {
      if (lastLine !== undefined) write(lastLine)
      if (!isCancelled) controller?.close()
    },
  }
}
