import { isUtf8 } from 'node:buffer'
import type { ServerResponse } from 'node:http'

import type { PendingCall } from '../pool/pending-call.ts'
import type { ExecutorPool } from '../pool/pool.ts'
import { toFrame } from '../wire/frame-batch.ts'
import { FRAME_TYPE, isAnswer } from '../wire/frame.ts'
import type { Frame } from '../wire/frame.ts'
import { parseMessage } from '../wire/message-codec.ts'
import type { Log, Lost, TextForm } from '../wire/messages.ts'
import { encodeError } from '../wire/values.ts'
import { Refusal, writeText } from './refusal.ts'

/** How a body is written: JSON, or devalue text, which keeps dates, maps, typed arrays and so on. */
export const BODY_TYPE: Readonly<Record<TextForm, string>> = {
  json: 'application/json',
  devalue: 'application/x-devalue',
}

/** How long a call may go on whose caller is gone. */
const GONE_GRACE_MS = 1000
const FORMAT_BYTES = 1
const STATUS_DIGITS = 3

export interface HttpCall {
  readonly liftId: string
  readonly form: TextForm
  /** The arguments, as an array. */
  readonly body: readonly Uint8Array[]
}

export interface HttpCallServices {
  readonly pool: ExecutorPool
  /** Longest run time of a call; 0: no limit. */
  readonly timeoutMs: number
  /** Gets what the call prints. */
  readonly onLog: (log: Log) => void
}

/**
 * Runs one call and answers as HTTP does: the result, a line for each item of a stream, or an error as JSON. Resolves
 * when the call is over. The executor reads the body and writes the answer; here they are only passed on, so that
 * nothing that they hold can keep this thread busy.
 * @throws Refusal 400
 */
export function answerHttpCall(services: HttpCallServices, call: HttpCall, response: ServerResponse): Promise<void> {
  const { pool, onLog } = services
  const frame = toCallFrame(call, services.timeoutMs)
  return new Promise((resolve, reject) => {
    const writer = new AnswerWriter(response, {
      form: call.form,
      onWanted: () => pool.allow(pending, toCredit()),
      onLog,
    })
    const receive = (write: () => void): void => {
      try {
        write()
        if (writer.isOver) resolve()
      } catch (error) {
        reject(error)
      }
    }
    const pending: PendingCall = pool.submit(frame, {
      onFrame: (answer) => receive(() => writer.write(answer)),
      onLost: (lost) => receive(() => writer.writeLost(lost)),
    })
    const onClose = (): void => {
      if (!writer.isOver) pool.cancel(pending, toCancel(), GONE_GRACE_MS)
    }
    response.on('close', onClose)
    // Who left while the body was read closes it no more.
    if (response.destroyed) onClose()
    else pool.allow(pending, toCredit())
  })
}

/** @throws Refusal 400 */
function toCallFrame({ liftId, form, body }: HttpCall, timeoutMs: number): Frame {
  const value = { format: form, text: '', parts: [] } as const
  const start = toFrame({ kind: 'call', id: 0, liftId, captures: 0, attempt: 1, timeoutMs, results: form, value })
  const head = Buffer.concat([start.head, ...body])
  if (!isUtf8(head.subarray(start.head.length))) throw new Refusal(400, 'The body is not valid UTF-8.')
  return { ...start, head }
}

function toCredit(): Frame {
  return toFrame({ kind: 'credit', id: 0, items: 1 })
}

function toCancel(): Frame {
  const value = encodeError(new Error('The caller closed its connection.'))
  return toFrame({ kind: 'cancel', id: 0, graceMs: GONE_GRACE_MS, value })
}

interface WriterOptions {
  readonly form: TextForm
  /** The caller can take another item. */
  readonly onWanted: () => void
  readonly onLog: (log: Log) => void
}

/** Writes what becomes of a call into its response. */
class AnswerWriter {
  readonly #response: ServerResponse
  readonly #options: WriterOptions
  isOver = false

  constructor(response: ServerResponse, options: WriterOptions) {
    this.#response = response
    this.#options = options
  }

  write(frame: Frame): void {
    this.isOver = isAnswer(frame.type)
    switch (frame.type) {
      case FRAME_TYPE.log:
        return this.#log(frame)
      case FRAME_TYPE.item:
        return this.#writeItem(frame)
      case FRAME_TYPE.result:
        return this.#writeWhole(200, BODY_TYPE[this.#options.form], toText(frame))
      case FRAME_TYPE.end:
        this.#openLines()
        this.#response.end()
        return undefined
      case FRAME_TYPE.error: {
        const text = toText(frame)
        return this.#writeFailure(Number(text.toString('latin1', 0, STATUS_DIGITS)), text.subarray(STATUS_DIGITS))
      }
      case FRAME_TYPE.lost: {
        const message = parseMessage(frame)
        return message.kind === 'lost' ? this.writeLost(message.lost) : undefined
      }
      default:
        return undefined
    }
  }

  writeLost({ reason, detail }: Lost): void {
    this.isOver = true
    this.#writeFailure(LOST_STATUS[reason], JSON.stringify({ error: { name: reason, message: detail } }))
  }

  #log(frame: Frame): void {
    const message = parseMessage(frame)
    if (message.kind === 'log') this.#options.onLog(message.log)
  }

  #writeItem(frame: Frame): void {
    this.#openLines()
    this.#response.write(toText(frame))
    if (this.#response.write('\n')) this.#options.onWanted()
    else this.#response.once('drain', this.#options.onWanted)
  }

  #openLines(): void {
    if (!this.#response.headersSent) this.#response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  }

  /** Behind items it is the last line. */
  #writeFailure(status: number, json: string | Uint8Array): void {
    if (!this.#response.headersSent) return this.#writeWhole(status, BODY_TYPE.json, json)
    this.#response.write(json)
    this.#response.end('\n')
  }

  #writeWhole(status: number, type: string, text: string | Uint8Array): void {
    writeText(this.#response, { status, headers: { 'content-type': type } }, text)
  }
}

/** What stands behind the format of the value. */
function toText({ head }: Frame): Buffer {
  return head.subarray(FORMAT_BYTES)
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
