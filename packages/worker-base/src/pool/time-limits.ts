import { hasStarted } from '../threads/claims.ts'
import type { Claims } from '../threads/claims.ts'
import type { LostReason } from '../wire/messages.ts'
import type { PendingCall } from './pending-call.ts'

/** A call whose executor has to be ended. */
export interface Expired {
  readonly call: PendingCall
  readonly reason: Extract<LostReason, 'timeout' | 'aborted'>
}

/** Calls that have a time limit, or were cancelled. */
export class TimeLimits {
  readonly #claims: Claims
  readonly #calls = new Set<PendingCall>()

  constructor(claims: Claims) {
    this.#claims = claims
  }

  get isEmpty(): boolean {
    return this.#calls.size === 0
  }

  add(call: PendingCall): void {
    this.#calls.add(call)
  }

  delete(call: PendingCall): void {
    this.#calls.delete(call)
  }

  /** Takes out the calls whose time is up. */
  takeExpired(now: number): readonly Expired[] {
    const expired: Expired[] = []
    for (const call of this.#calls) {
      const reason = this.#toReason(call, now)
      if (reason !== undefined && this.#calls.delete(call)) expired.push({ call, reason })
    }
    return expired
  }

  /** The limit counts from when the call was first seen to run: never too early, late by one look at most. */
  #toReason(call: PendingCall, now: number): Expired['reason'] | undefined {
    if (!hasStarted(this.#claims, call.id)) return undefined
    call.deadline ??= call.timeoutMs === 0 ? Infinity : now + call.timeoutMs
    if (now >= call.deadline) return 'timeout'
    return call.abortAt !== undefined && now >= call.abortAt ? 'aborted' : undefined
  }
}
