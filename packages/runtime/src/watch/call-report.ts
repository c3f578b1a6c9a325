import type { WireValue } from '@turbolift/worker-base/wire'

import { events } from './events.ts'
import type { CallEvent, CallFailed, CallStarted } from './events.ts'

const HEARD = ['call:queued', 'call:started', 'call:done', 'call:failed', 'call:retried'] as const

let lastCallId = 0

export interface ReportedCall {
  readonly liftId: string
  readonly mapId: number | undefined
  readonly value: WireValue
}

/** Tells the listeners how it goes with one call; `undefined` when there are none, so that it costs nothing. */
export function reportCall(call: ReportedCall, pool: string): CallReport | undefined {
  return HEARD.some((name) => events[name].isHeard) ? new CallReport(call, pool) : undefined
}

export class CallReport {
  /** What listeners want to travel to the worker with the call. */
  readonly carrier: Record<string, string> = {}
  readonly #event: CallEvent
  readonly #sentBytes: number
  readonly #queuedAt: number = performance.now()
  #startedAt: number = this.#queuedAt
  #workerId: string | undefined
  #attempt = 0

  constructor({ liftId, mapId, value }: ReportedCall, pool: string) {
    lastCallId += 1
    this.#event = { callId: lastCallId, functionId: liftId, pool, mapId }
    this.#sentBytes = toBytes(value)
    const channel = events['call:queued']
    if (channel.isHeard) channel.emit({ ...this.#event, carrier: this.carrier })
  }

  /** What travels; `undefined` when there is nothing. */
  get filledCarrier(): Readonly<Record<string, string>> | undefined {
    return Object.keys(this.carrier).length === 0 ? undefined : this.carrier
  }

  start(workerId: string): void {
    this.#startedAt = performance.now()
    this.#workerId = workerId
    this.#attempt += 1
    const channel = events['call:started']
    if (channel.isHeard) channel.emit({ ...this.#event, ...this.#place(workerId) })
  }

  finish(result: WireValue): void {
    const channel = events['call:done']
    if (this.#workerId === undefined || !channel.isHeard) return
    channel.emit({
      ...this.#event,
      ...this.#place(this.#workerId),
      durationMs: performance.now() - this.#startedAt,
      sentBytes: this.#sentBytes,
      receivedBytes: toBytes(result),
    })
  }

  fail(error: unknown): void {
    const channel = events['call:failed']
    if (channel.isHeard) channel.emit(this.#toFailed(error))
  }

  retry(error: unknown): void {
    const channel = events['call:retried']
    if (channel.isHeard) channel.emit(this.#toFailed(error))
  }

  #place(workerId: string): Pick<CallStarted, 'workerId' | 'attempt' | 'queuedMs'> {
    return { workerId, attempt: this.#attempt, queuedMs: this.#startedAt - this.#queuedAt }
  }

  #toFailed(error: unknown): CallFailed {
    const durationMs = performance.now() - this.#startedAt
    return { ...this.#event, workerId: this.#workerId, attempt: this.#attempt, durationMs, error }
  }
}

// Text is counted in characters: most of it is plain ASCII, and nobody waits for an exact answer.
function toBytes({ text, parts }: WireValue): number {
  return parts.length === 0 ? text.length : parts.reduce((sum, part) => sum + part.byteLength, text.length)
}
