import type { ExecutorNotice } from '../threads/startup.ts'
import type { Claims } from '../threads/claims.ts'
import type { Frame } from '../wire/frame.ts'
import { startExecutorThread } from './executor-thread.ts'
import type { ThreadEnd } from './executor-thread.ts'
import type { PoolOptions } from './options.ts'
import type { Executor } from './schedule.ts'

export interface ExecutorStart {
  readonly index: number
  readonly claims: Claims
  readonly onFrame: (frame: Frame) => void
  readonly onNotice: (notice: ExecutorNotice) => void
  readonly onEnd: (end: ThreadEnd) => void
}

export function startExecutor(options: PoolOptions, { index, claims, ...events }: ExecutorStart): Executor {
  const { program, functions, workerId, heapMegabytes } = options
  const thread = startExecutorThread({
    program,
    data: { claims, workerId, executor: index, functions },
    heapMegabytes,
    ...events,
    onOutput: (stream, chunk) =>
      options.events.onLog({ stream, executor: index, text: chunk.toString('utf8').trimEnd(), dropped: 0 }),
  })
  return { index, calls: new Map(), ending: undefined, onStopped: undefined, thread }
}
