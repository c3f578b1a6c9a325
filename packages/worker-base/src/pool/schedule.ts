import type { ExecutorThread } from './executor-thread.ts'
import { movesMemory } from './pending-call.ts'
import type { PendingCall } from './pending-call.ts'
import type { LostReason } from '../wire/messages.ts'

/** Calls that are handed to an executor ahead of time, so that tiny ones never wait for the talking thread. */
const AHEAD = 64
/** The same for large ones, whose memory moves to the executor and cannot be taken back. */
const AHEAD_MOVED = 2

export interface Executor {
  readonly index: number
  readonly thread: ExecutorThread
  /** Handed out and not answered, in order: at most the first one has begun. */
  readonly calls: Map<number, PendingCall>
  /** Set when the pool ends it: for which call, and why. */
  ending: { readonly call: PendingCall; readonly reason: LostReason } | undefined
  onStopped: (() => void) | undefined
}

/** The executor that should get this call now: the one with the fewest. `undefined`: let it wait. */
export function pickExecutor(executors: readonly Executor[], frame: PendingCall['frame']): Executor | undefined {
  let best: Executor | undefined
  for (const executor of executors) {
    if (!executor.thread.isReady || executor.ending !== undefined) continue
    if (best === undefined || executor.calls.size < best.calls.size) best = executor
  }
  if (best === undefined || best.calls.size === 0) return best
  const limit = frame !== undefined && movesMemory(frame) ? AHEAD_MOVED : AHEAD
  return best.calls.size < limit ? best : undefined
}

/**
 * Calls that should be taken from a busy executor because another one has nothing to do: the later half of what
 * the busiest one has not begun.
 */
export function pickStolen(executors: readonly Executor[]): readonly PendingCall[] {
  const isAnyIdle = executors.some(
    ({ thread, calls, ending }) => thread.isReady && calls.size === 0 && ending === undefined,
  )
  if (!isAnyIdle) return []
  const [busiest] = executors.toSorted((one, other) => other.calls.size - one.calls.size)
  const movable = [...(busiest?.calls.values() ?? [])].slice(1).filter(({ frame }) => frame !== undefined)
  return movable.slice(Math.floor(movable.length / 2))
}
