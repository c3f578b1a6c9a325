import type { Log } from '../wire/messages.ts'
import type { WireValue } from '../wire/values.ts'

export interface PoolOptions {
  /** URL of executor.js. */
  readonly program: URL
  readonly size: number
  /** URL of the module that exports `functions`, or in dev `loadFunction`. */
  readonly functions: string
  readonly workerId: string
  readonly heapMegabytes: number | undefined
  readonly events: PoolEvents
}

export interface PoolEvents {
  /** The first executor is ready. `ids`: the functions there are, where known. */
  onReady(ids: readonly string[] | undefined): void
  /** The code of the worker cannot be loaded; `error` is for `decodeError`. No call will ever be run. */
  onFailed(error: WireValue): void
  /** What was printed outside of calls. */
  onLog(log: Log): void
}
