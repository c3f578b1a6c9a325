import { nextTick, performance } from '@turbolift/worker-base/clock'
import { toPlainText } from '@turbolift/worker-base/wire'

import { areCallsHeard } from '../watch/call-report.ts'
import { Batch, BatchedCall } from './batch.ts'
import type { SingleForm } from './batch.ts'
import { LiftedInvoker, callsOf, valuesOf } from './invoke.ts'
import type { Lifted } from './invoke.ts'
import type { Invoker, Settle } from './invoker.ts'
import type { Batches } from './task.ts'

/** Calls that take longer, on the way there and back included, are sent one by one. */
const TINY_MS = 0.25
/** Single calls of this function that must have been answered before it is known how long they take. */
const SAMPLE = 16
/** Time that the calls of a batch should take together: sending it costs about a twentieth of that. */
const BATCH_MS = 1
const FIRST_SIZE = 8
const GROWTH = 4
/** With more in flight the engine takes them for objects that stay, and lets its heap grow: 1.8 times for 512, 1.06 for these. */
const MOST_CALLS = 128
const MOST_TEXT = 64 * 1024
/** Batches for each call that runs at a time: one that runs, and some on their way. */
const BATCHES_AHEAD = 3
/** Inputs that may be read ahead for batches. */
const MOST_AHEAD = 4096

export interface BatchingOptions {
  readonly results: SingleForm
  /** The most calls at a time, where the user says it. */
  readonly concurrency?: number | undefined
}

/** Makes calls of one function. Tiny ones of one tick go in batches, whose size follows from how long they take. */
export class BatchingInvoker implements Invoker {
  readonly #lifted: Lifted
  readonly #options: BatchingOptions
  readonly #single: LiftedInvoker
  readonly #sample: Sample = new Sample()
  #size = 1
  #gathered: BatchedCall[] = []
  #gatheredText = 0
  #isScheduled = false

  constructor(lifted: Lifted, options: BatchingOptions) {
    this.#lifted = lifted
    this.#options = options
    this.#single = new LiftedInvoker(lifted, options.results)
  }

  get appetite(): number {
    const { appetite, batches } = callsOf(this.#lifted)
    if (batches === undefined || this.#size === 1) return appetite
    return Math.max(appetite, BATCHES_AHEAD * batches.slots * this.#size)
  }

  start(args: readonly unknown[], settle: Settle): unknown {
    const { batches } = callsOf(this.#lifted)
    // A time limit is that of each call, and listeners hear of each.
    if (batches === undefined || this.#lifted.options.timeoutMs !== undefined || areCallsHeard()) {
      return this.#single.start(args, settle)
    }
    return this.#size === 1 ? this.#startSampled(args, settle, batches) : this.#startBatched(args, settle, batches)
  }

  cancel(call: unknown, reason: unknown): void {
    if (call instanceof BatchedCall) call.cancel(reason)
    else this.#single.cancel(call, reason)
  }

  #startSampled(args: readonly unknown[], settle: Settle, batches: Batches): unknown {
    this.#sample.start()
    const onSettled = (): void => {
      const callMs = this.#sample.record(batches.slots)
      if (callMs <= TINY_MS && this.#size === 1) this.#resize(FIRST_SIZE, batches)
    }
    return this.#single.start(args, {
      resolve: (value) => {
        onSettled()
        settle.resolve(value)
      },
      reject: (error) => {
        onSettled()
        settle.reject(error)
      },
    })
  }

  #startBatched(args: readonly unknown[], settle: Settle, batches: Batches): unknown {
    const captures = valuesOf(this.#lifted.captures?.())
    const text = toPlainText(captures, args)
    if (text === undefined) return this.#single.start(args, settle)
    const { results } = this.#options
    const call = new BatchedCall(this.#lifted, { captures: captures.length, text, results, settle })
    this.#gather(call, batches)
    return call
  }

  #resize(wanted: number, { slots }: Batches): void {
    const ahead = this.#options.concurrency ?? MOST_AHEAD
    const most = Math.min(MOST_CALLS, ahead / (BATCHES_AHEAD * Math.max(1, slots)))
    this.#size = Math.max(1, Math.floor(Math.min(wanted, most)))
  }

  #gather(call: BatchedCall, batches: Batches): void {
    this.#gathered.push(call)
    this.#gatheredText += call.text.length
    if (this.#gathered.length >= this.#size || this.#gatheredText >= MOST_TEXT) return this.#flush(batches)
    if (this.#isScheduled) return
    this.#isScheduled = true
    nextTick(() => {
      this.#isScheduled = false
      this.#flush(batches)
    })
  }

  #flush(batches: Batches): void {
    const calls = this.#gathered.filter(({ isSettled }) => !isSettled)
    this.#gathered = []
    this.#gatheredText = 0
    this.#submit(calls, batches)
  }

  #submit(calls: readonly BatchedCall[], batches: Batches): void {
    const [first] = calls
    if (first === undefined) return
    if (calls.length === 1) return first.goAlone(batches)
    const batch = new Batch(calls, batches, {
      onMeasured: (callMs) =>
        this.#resize(callMs > TINY_MS ? 1 : Math.min(BATCH_MS / callMs, this.#size * GROWTH), batches),
      onGivenBack: (rest) => this.#submit(rest, batches),
    })
    batch.submit()
  }
}

/** How long single calls take, measured over some that follow one another without a break. */
class Sample {
  #pending = 0
  #answers = 0
  #sinceMs = 0

  start(): void {
    if (this.#pending === 0) this.#restart()
    this.#pending += 1
  }

  /** One was answered. Returns how long a call takes, `Infinity` as long as that is not known. */
  record(slots: number): number {
    this.#pending -= 1
    this.#answers += 1
    if (this.#answers < SAMPLE) return Infinity
    const callMs = ((performance.now() - this.#sinceMs) * slots) / this.#answers
    this.#restart()
    return callMs
  }

  #restart(): void {
    this.#answers = 0
    this.#sinceMs = performance.now()
  }
}
