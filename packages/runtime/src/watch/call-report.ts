import { performance } from '@turbolift/worker-base/clock'
import type { WireValue } from '@turbolift/worker-base/wire'

import { events } from './events.ts'
import type { CallEvent, CallFailed } from './events.ts'

const queued = events['call:queued']
const started = events['call:started']
const done = events['call:done']
const failed = events['call:failed']
const retried = events['call:retried']

let lastCallId = 0

export interface ReportedCall {
  readonly liftId: string
  readonly mapId: number | undefined
  readonly value: WireValue
}

/** Tells the listeners how it goes with one call; `undefined` when there are none, so that it costs nothing. */
export function reportCall(call: ReportedCall, pool: string): CallReport | undefined {
  return areCallsHeard() ? new CallReport(call, pool) : undefined
}

/** Whether somebody listens to how it goes with calls. */
export function areCallsHeard(): boolean {
  return done.isHeard || failed.isHeard || queued.isHeard || started.isHeard || retried.isHeard
}

// Events are written out key by key: V8 takes microseconds for a spread with more keys behind it.
export class CallReport {
  /** What listeners want to travel to the worker with the call. */
  readonly carrier: Record<string, string> = {}
  readonly #event: CallEvent
  readonly #sentBytes: number
  #queuedAt: number = performance.now()
  #startedAt: number = this.#queuedAt
  #workerId: string | undefined
  #attempt = 0

  constructor({ liftId, mapId, value }: ReportedCall, pool: string) {
    lastCallId += 1
    this.#event = { callId: lastCallId, functionId: liftId, pool, mapId }
    this.#sentBytes = toBytes(value)
    const { callId } = this.#event
    if (queued.isHeard) queued.emit({ callId, functionId: liftId, pool, mapId, carrier: this.carrier })
  }

  /** What travels; `undefined` when there is nothing. */
  get filledCarrier(): Readonly<Record<string, string>> | undefined {
    return Object.keys(this.carrier).length === 0 ? undefined : this.carrier
  }

  start(workerId: string): void {
    this.#startedAt = performance.now()
    this.#workerId = workerId
    this.#attempt += 1
    if (!started.isHeard) return
    const { callId, functionId, pool, mapId } = this.#event
    const queuedMs = this.#startedAt - this.#queuedAt
    started.emit({ callId, functionId, pool, mapId, workerId, attempt: this.#attempt, queuedMs })
  }

  finish(result: WireValue): void {
    if (this.#workerId === undefined || !done.isHeard) return
    const { callId, functionId, pool, mapId } = this.#event
    done.emit({
      callId,
      functionId,
      pool,
      mapId,
      workerId: this.#workerId,
      attempt: this.#attempt,
      queuedMs: this.#startedAt - this.#queuedAt,
      durationMs: performance.now() - this.#startedAt,
      sentBytes: this.#sentBytes,
      receivedBytes: toBytes(result),
    })
  }

  fail(error: unknown): void {
    if (failed.isHeard) failed.emit(this.#toFailed(error))
  }

  retry(error: unknown): void {
    if (retried.isHeard) retried.emit(this.#toFailed(error))
    this.#queuedAt = performance.now()
  }

  #toFailed(error: unknown): CallFailed {
    const { callId, functionId, pool, mapId } = this.#event
    const durationMs = performance.now() - this.#startedAt
    return { callId, functionId, pool, mapId, workerId: this.#workerId, attempt: this.#attempt, durationMs, error }
  }
}

// Text is counted in characters: most of it is plain ASCII, and nobody waits for an exact answer.
function toBytes({ text, parts }: WireValue): number {
  return parts.length === 0 ? text.length : parts.reduce((sum, part) => sum + part.byteLength, text.length)
}
