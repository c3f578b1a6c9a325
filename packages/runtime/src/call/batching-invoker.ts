import { toPlainText } from '@turbolift/worker-base/wire'

import { areCallsHeard } from '../watch/call-report.ts'
import { Batch, BatchedCall } from './batch.ts'
import { LiftedInvoker, callsOf, valuesOf } from './invoke.ts'
import type { Lifted } from './invoke.ts'
import type { Invoker, Settle } from './invoker.ts'
import type { Batches } from './task.ts'

/** Calls that take longer, on the way there and back included, are sent one by one. */
const TINY_MS = 0.25
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

/** Makes the calls of a map. Tiny ones go in batches, whose size follows from how long they take. */
export class BatchingInvoker implements Invoker {
  readonly #lifted: Lifted
  readonly #single: LiftedInvoker
  readonly #concurrency: number | undefined
  #size = 1
  #gathered: BatchedCall[] = []
  #gatheredText = 0
  #timer: NodeJS.Immediate | undefined

  /** @param options the most calls at a time, where the user says it */
  constructor(lifted: Lifted, { concurrency }: { readonly concurrency: number | undefined }) {
    this.#lifted = lifted
    this.#single = new LiftedInvoker(lifted)
    this.#concurrency = concurrency
  }

  get appetite(): number {
    const { appetite, batches } = callsOf(this.#lifted)
    if (batches === undefined || this.#size === 1) return appetite
    return Math.max(appetite, BATCHES_AHEAD * batches.slots * this.#size)
  }

  start(args: readonly unknown[], settle: Settle): unknown {
    const { batches } = callsOf(this.#lifted)
    if (batches === undefined || !this.#isWorthIt(batches)) return this.#single.start(args, settle)
    const captures = valuesOf(this.#lifted.captures?.())
    const text = toPlainText(captures, args)
    if (text === undefined) return this.#single.start(args, settle)
    const call = new BatchedCall(this.#lifted, { captures: captures.length, text, settle })
    this.#gather(call, batches)
    return call
  }

  cancel(call: unknown, reason: unknown): void {
    if (call instanceof BatchedCall) call.cancel(reason)
    else this.#single.cancel(call, reason)
  }

  #isWorthIt(batches: Batches): boolean {
    if (this.#lifted.options.timeoutMs !== undefined || areCallsHeard()) return false
    if (this.#size === 1 && batches.averageMs <= TINY_MS) this.#resize(FIRST_SIZE, batches)
    return this.#size > 1
  }

  #resize(wanted: number, { slots }: Batches): void {
    const most = Math.min(MOST_CALLS, (this.#concurrency ?? MOST_AHEAD) / (BATCHES_AHEAD * Math.max(1, slots)))
    this.#size = Math.max(1, Math.floor(Math.min(wanted, most)))
  }

  #gather(call: BatchedCall, batches: Batches): void {
    this.#gathered.push(call)
    this.#gatheredText += call.text.length
    if (this.#gathered.length >= this.#size || this.#gatheredText >= MOST_TEXT) return this.#flush(batches)
    this.#timer ??= setImmediate(() => this.#flush(batches))
  }

  #flush(batches: Batches): void {
    clearImmediate(this.#timer)
    this.#timer = undefined
    const calls = this.#gathered.filter(({ isSettled }) => !isSettled)
    this.#gathered = []
    this.#gatheredText = 0
    if (calls.length > 0) this.#submit(calls, batches)
  }

  #submit(calls: readonly BatchedCall[], batches: Batches): void {
    const batch = new Batch(calls, batches, {
      onMeasured: (callMs) =>
        this.#resize(callMs > TINY_MS ? 1 : Math.min(BATCH_MS / callMs, this.#size * GROWTH), batches),
      onGivenBack: (rest) => this.#submit(rest, batches),
    })
    batch.submit()
  }
}
