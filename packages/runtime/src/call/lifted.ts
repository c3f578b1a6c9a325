import type { MapReport } from '../watch/map-report.ts'
import type { ResultCache } from './cache.ts'
import type { Invoker } from './invoker.ts'

/** What the plugin knows about a lifted function. */
export interface LiftedMeta {
  /** Root-relative path, `#`, name. */
  readonly id: string
  readonly name: string
  /** Number of parameters, as `Function.length` counts them. */
  readonly length: number
  readonly pool: string
  /** `stream`: an async generator. */
  readonly kind: 'call' | 'stream'
}

/** Values that a nested function takes from the scope around it, by name. */
export type Captures = Readonly<Record<string, unknown>>

/** Options of a single call. */
export interface CallOptions {
  /** Longest time that the function may run, counted from when it begins. Default: the pool's `timeoutMs`, else no limit. */
  readonly timeoutMs?: number | undefined
  /** Aborting it ends the call here and in the worker; the call rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /**
   * Tries after the first one, when the function throws or takes too long. Default 0; for a `RetryableError`, 3.
   * A `FatalError` is never tried again. Calls whose worker is lost are tried again in any case.
   */
  readonly retries?: number | undefined
  /** Wait before the first retry; doubled for each one after it, up to 30 s, with some jitter. Default 100. */
  readonly retryDelayMs?: number
}

/** What stands behind a function that was made for a lifted one. `map` and `lift` work by it. */
export interface LiftedHandle {
  readonly meta: LiftedMeta
  /** The same function, whose calls have these options too. */
  withOptions(options: CallOptions): (...args: never[]) => unknown
  /** Begins the run, unless it has begun, and tells its listeners that a map begins. */
  reportMap(total: number | undefined): MapReport
  /** Makes the calls of a map, without a promise for each. */
  toInvoker(options: CallOptions, map: MapContext): Invoker
}

/** What the calls of one map have in common. */
export interface MapContext {
  readonly report: MapReport
  readonly cache: Promise<ResultCache> | undefined
  /** Most calls at a time, where the user says it. */
  readonly concurrency: number | undefined
}

const handles = new WeakMap<object, LiftedHandle>()

export function rememberLifted(fn: object, handle: LiftedHandle): void {
  handles.set(fn, handle)
}

/** `undefined` for ordinary functions. */
export function liftedHandleOf(fn: object): LiftedHandle | undefined {
  return handles.get(fn)
}
