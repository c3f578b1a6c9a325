import { parseLostValue } from '@turbolift/worker-base/wire'
import type { OutcomeMessage, ResultForm, WireValue } from '@turbolift/worker-base/wire'

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

/** One call of a batch. */
export class BatchedCall {
  /** Captures and arguments as JSON. */
  readonly text: string
  readonly #lifted: Lifted
  readonly #captures: number
  readonly #settle: Settle
  /** The batch that it is in, as long as it is. */
  batch: Batch | undefined
  isSettled = false
  #alone: { readonly task: Task; readonly batches: Batches } | undefined

  constructor(
    lifted: Lifted,
    { captures, text, settle }: { readonly captures: number; readonly text: string; readonly settle: Settle },
  ) {
    this.#lifted = lifted
    this.#captures = captures
    this.text = text
    this.#settle = settle
  }

  /** The call as one of its own, or with others. */
  toRequest(results: ResultForm, text: string): CallRequest {
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

  /** From now on it is a call of its own, whose first try ended like this. */
  goOn(answer: AnswerMessage, batches: Batches): void {
    if (this.isSettled) return
    this.isSettled = true
    this.batch = undefined
    this.#alone = {
      task: batches.resume(this.toRequest('whole', this.text), new DecodingSink(this.#settle), answer),
      batches,
    }
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
  readonly #calls: readonly BatchedCall[]
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
    this.#task = this.#batches.submit(first.toRequest('batch', text), this)
  }

  /** Ends it when nobody waits for any of its calls. */
  cancelUnwanted(reason: unknown): void {
    if (this.#task === undefined || this.#calls.some(({ isSettled }) => !isSettled)) return
    this.#batches.cancel(this.#task, reason)
  }

  resolve({ text }: WireValue): void {
    const { durationMs, results, isUndefined } = parseResults(text)
    if (results.length > 0) this.#events.onMeasured(durationMs / results.length)
    for (const [index, call] of this.#calls.entries()) {
      if (index === results.length) break
      call.resolve(isUndefined.has(index) ? undefined : results[index])
    }
    const rest = this.#calls.slice(results.length).filter(({ isSettled }) => !isSettled)
    if (rest.length > 0) this.#events.onGivenBack(rest)
  }

  reject(error: unknown): void {
    for (const call of this.#calls) call.reject(error)
  }

  onOutcome({ id, index, answer, value }: OutcomeMessage): void {
    this.#calls[index]?.goOn(
      answer === 'lost' ? { kind: 'lost', id, lost: parseLostValue(value) } : { kind: answer, id, value },
      this.#batches,
    )
  }

  onBroken(): void {
    for (const call of this.#calls) call.goOn(BROKEN, this.#batches)
  }
}

/** What the worker of the same build wrote; see `ResultForm`. */
function parseResults(text: string) {
  const [durationMs, results, undefinedAt] = JSON.parse(text) as [number, unknown[], number[]]
  return { durationMs, results, isUndefined: new Set(undefinedAt) }
}
