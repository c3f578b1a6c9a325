import { clearTimeout, setTimeout } from '../clock.ts'
import type { Log, Lost } from '../wire/messages.ts'
import type { ThreadEnd } from './executor-thread.ts'
import type { PendingCall } from './pending-call.ts'
import type { Executor } from './schedule.ts'

/** Stop hooks that hang must not keep the worker from ending. */
const STOP_DEADLINE_MS = 10_000

/** Runs the stop hooks of an executor; resolves when they are done, or take too long. */
export function stopExecutor(executor: Executor): Promise<void> {
  if (!executor.thread.isReady) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, STOP_DEADLINE_MS)
    executor.onStopped = () => {
      clearTimeout(timer)
      resolve()
    }
    executor.thread.stop()
  })
}

/** Why a call has no answer that its executor was running when it ended. */
export function toReason(executor: Executor, call: PendingCall, end: ThreadEnd): Pick<Lost, 'reason' | 'detail'> {
  if (executor.ending?.call !== call) return end
  const { reason } = executor.ending
  const why =
    reason === 'timeout' ? `It ran for longer than ${call.timeoutMs} ms.` : 'It did not stop when it was cancelled.'
  return { reason, detail: why }
}

/** What is printed of an executor that ended while no call ran there. */
export function toStrayLog({ index }: Executor, { detail }: ThreadEnd): Log {
  const text = `An executor ended outside of a call and was replaced. ${detail}`
  return { stream: 'stderr', executor: index, text, dropped: 0 }
}
