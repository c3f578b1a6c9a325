import { parseLostValue } from '@turbolift/worker-base/wire'
import type { CallStreams, OutcomeMessage, ResultForm, WireValue } from '@turbolift/worker-base/wire'

import { answerUnreadable } from './errors.ts'
import { DecodingSink, toRequest } from './invoke.ts'
import type { Lifted } from './invoke.ts'
import type { Settle } from './invoker.ts'
import type { AnswerMessage } from './client.ts'
import type { Batches, CallRequest, CallSink, Task } from './task.ts'

/** What is said of the calls of a batch whose worker is gone: any of them may have been running. */
const BROKEN: AnswerMessage = {
  kind: 'lost',
  id: 0,
  lost: { reason: 'exit', started: true, detail: 'its worker is gone' },
}

/** How results of single calls come: with their streams read, or with streams that are still to come. */
export type SingleForm = 'whole' | 'opened'

export interface BatchedCallOptions {
  readonly captures: number
  /** Captures and arguments as JSON. */
  readonly text: string
  readonly results: SingleForm
  readonly settle: Settle
}

/** One call of a batch. */
export class BatchedCall {
  /** Captures and arguments as JSON. */
  readonly text: string
  readonly #lifted: Lifted
  readonly #captures: number
  readonly #results: SingleForm
  readonly #settle: Settle
  /** The batch that it is in, as long as it is. */
  batch: Batch | undefined
  isSettled = false
  #alone: { readonly task: Task; readonly batches: Batches } | undefined

  constructor(lifted: Lifted, { captures, text, results, settle }: BatchedCallOptions) {
    this.#lifted = lifted
    this.#captures = captures
    this.text = text
    this.#results = results
    this.#settle = settle
  }

  get name(): string {
    return this.#lifted.meta.name
  }

  /** With others, whose values are in `text` too. */
  toBatchRequest(text: string): CallRequest {
    return this.#toRequest(this.#results === 'opened' ? 'opened-batch' : 'batch', text)
  }

  #toRequest(results: ResultForm, text: string): CallRequest {
    return toRequest(this.#lifted, { captures: this.#captures, results }, { format: 'json', text, parts: [] })
  }

  resolve(value: unknown): void {
    if (this.isSettled) return
    this.isSettled = true
    this.#settle.resolve(value)
  }

  reject(error: unknown): void {
    if (this.isSettled) return
    this.isSettled = true
    this.#settle.reject(error)
  }

  /** From now on it is a call of its own. With `answer`: its first try ended like that. */
  goAlone(batches: Batches, answer?: AnswerMessage): void {
    if (this.isSettled) return
    this.isSettled = true
    this.batch = undefined
    const request = this.#toRequest(this.#results, this.text)
    const sink = new DecodingSink(this.#settle, this.#lifted.meta.name)
    const task = answer === undefined ? batches.submit(request, sink) : batches.resume(request, sink, answer)
    this.#alone = { task, batches }
  }

  /** Its result is there, and holds streams. */
  open(value: WireValue, streams: CallStreams): void {
    if (this.isSettled) return
    this.isSettled = true
    new DecodingSink(this.#settle, this.#lifted.meta.name).onOpened(value, streams)
  }

  cancel(reason: unknown): void {
    if (this.#alone !== undefined) return this.#alone.batches.cancel(this.#alone.task, reason)
    this.reject(reason)
    this.batch?.cancelUnwanted(reason)
  }
}

export interface BatchEvents {
  /** How long each of its calls took. */
  onMeasured(callMs: number): void
  /** Calls that were not made, since another one took long. */
  onGivenBack(calls: readonly BatchedCall[]): void
}

/** Many calls of one function that travel as one. */
export class Batch implements CallSink {
  #calls: readonly BatchedCall[]
  readonly #batches: Batches
  readonly #events: BatchEvents
  #task: Task | undefined

  constructor(calls: readonly BatchedCall[], batches: Batches, events: BatchEvents) {
    this.#calls = calls
    this.#batches = batches
    this.#events = events
  }

  submit(): void {
    const [first] = this.#calls
    if (first === undefined) return
    for (const call of this.#calls) call.batch = this
    const text = `[${this.#calls.map((call) => call.text).join(',')}]`
    this.#task = this.#batches.submit(first.toBatchRequest(text), this)
  }

  /** Ends it when nobody waits for any of its calls. */
  cancelUnwanted(reason: unknown): void {
    if (this.#task === undefined || this.#calls.some(({ isSettled }) => !isSettled)) return
    this.#batches.cancel(this.#task, reason)
  }

  resolve({ text }: WireValue): void {
    let rest: readonly BatchedCall[]
    try {
      rest = this.#resolveFirst(text)
    } catch (error) {
      this.#rejectUnreadable(error)
      return
    }
    this.#giveBack(rest)
  }

  reject(error: unknown): void {
    for (const call of this.#calls) call.reject(error)
  }

  #rejectUnreadable(error: unknown): void {
    for (const call of this.#calls) call.reject(answerUnreadable(call.name, error))
  }

  onOutcome({ id, index, answer, value }: OutcomeMessage): void {
    const call = this.#calls[index]
    switch (answer) {
      case 'lost':
        call?.goAlone(this.#batches, { kind: 'lost', id, lost: parseLostValue(value) })
        break
      case 'opened': {
        const [, ...rest] = this.#resolveFirst(value.text)
        this.#calls = call === undefined ? [] : [call]
        this.#giveBack(rest)
        break
      }
      default:
        call?.goAlone(this.#batches, { kind: answer, id, value })
    }
  }

  /** After an outcome `opened`, which left the call that it is the result of. */
  onOpened(value: WireValue, streams: CallStreams): void {
    this.#calls[0]?.open(value, streams)
  }

  onBroken(): void {
    for (const call of this.#calls) call.goAlone(this.#batches, BROKEN)
  }

  /** Returns the calls that have no result yet. */
  #resolveFirst(text: string): readonly BatchedCall[] {
    const { durationMs, results, isUndefined } = parseResults(text)
    if (results.length > 0) this.#events.onMeasured(durationMs / results.length)
    for (const [index, call] of this.#calls.entries()) {
      if (index === results.length) break
      call.resolve(isUndefined.has(index) ? undefined : results[index])
    }
    return this.#calls.slice(results.length)
  }

  #giveBack(calls: readonly BatchedCall[]): void {
    const unsettled = calls.filter(({ isSettled }) => !isSettled)
    if (unsettled.length > 0) this.#events.onGivenBack(unsettled)
  }
}

/** What the worker of the same build wrote; see `ResultForm`. */
function parseResults(text: string) {
  const [durationMs, results, undefinedAt] = JSON.parse(text) as [number, unknown[], number[]]
  return { durationMs, results, isUndefined: new Set(undefinedAt) }
}
