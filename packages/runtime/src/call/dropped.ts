import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { clearTimeout, setTimeout } from '@turbolift/worker-base/clock'

import type { WaitingCalls } from './waiting-calls.ts'
import type { WorkerConnections } from './connections.ts'

const FIRST_LOOK_MS = 1_000
const LONGEST_PAUSE_MS = 60_000

/**
 * Generators and streams of results have a place in a worker as long as somebody may read on. That nobody can any more,
 * since the program has dropped them, shows when the engine collects garbage, and a program that only waits for its
 * calls makes none: so while calls wait for a place, the engine is asked to look.
 */
export class DroppedReaders {
  readonly #waiting: WaitingCalls
  readonly #connections: WorkerConnections
  #timer: NodeJS.Timeout | undefined
  #pauseMs = FIRST_LOOK_MS

  constructor(waiting: WaitingCalls, connections: WorkerConnections) {
    this.#waiting = waiting
    this.#connections = connections
  }

  /** A call may have to wait. */
  expect(): void {
    this.#timer ??= setTimeout(() => this.#look(), this.#pauseMs).unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #look(): void {
    this.#timer = undefined
    const isWaiting = this.#isAnyWaiting()
    if (isWaiting && this.#isAnyIdle()) {
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS)
      collectGarbage()
    } else this.#pauseMs = FIRST_LOOK_MS
    if (isWaiting) this.expect()
  }

  /** In the program, or in a worker behind others. */
  #isAnyWaiting(): boolean {
    if (this.#waiting.size > 0) return true
    return [...this.#connections.clients].some(({ inFlight, slots }) => inFlight.size > slots)
  }

  /** There is a call whose reader does not wait for it now. */
  #isAnyIdle(): boolean {
    for (const { inFlight } of this.#connections.clients) {
      for (const { isAwaited, isSettled } of inFlight.values()) if (!isAwaited && !isSettled) return true
    }
    return false
  }
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect === 'function') Reflect.apply(collect, undefined, [])
}
