import type { AnswerMessage } from './client.ts'
import { workerLost } from './errors.ts'
import type { Task } from './task.ts'

/** Tries of a call whose workers go away. */
const MOST_ATTEMPTS = 3
/** Tries of a call whose connections break, while the workers stay. */
const MOST_BREAKS = 10

/** How a try of a call came to nothing. */
export interface Loss {
  /** User code of the call had begun, or may have. */
  readonly wasRunning: boolean
  /** What ran it is gone, not only the connection to it. */
  readonly isGone: boolean
  readonly reason: Error
}

/** What was there when two workers went away gets one for itself, so that it alone is to blame for the third. */
export function isSuspect({ losses }: Task): boolean {
  return losses >= MOST_ATTEMPTS - 1
}

/** Counts a loss. False: that was the last try, and the call has failed. */
export function mayRunAgain(task: Task, { wasRunning, isGone, reason }: Loss): boolean {
  if (task.isSettled) return false
  if (wasRunning && isBatch(task)) {
    task.break()
    return false
  }
  if (wasRunning && isGone) {
    task.attempts += 1
    task.losses += 1
  }
  if (wasRunning) task.breaks += 1
  const isLast = task.attempts >= MOST_ATTEMPTS || task.breaks >= MOST_BREAKS || task.isConsumed
  if (isLast) task.reject(workerLost(task.request.name, task.breaks, reason))
  else if (wasRunning) task.report?.retry(reason)
  return !isLast
}

/** Whether this answer ends a whole batch: which of its calls is to blame is only seen when each is tried alone. */
export function breaksBatch(task: Task, message: AnswerMessage): boolean {
  if (!isBatch(task)) return false
  return message.kind === 'error' || (message.kind === 'lost' && message.lost.started)
}

/** One that was opened stands for a single call from then on. */
function isBatch({ sink, isOpened }: Task): boolean {
  return sink.onBroken !== undefined && !isOpened
}
