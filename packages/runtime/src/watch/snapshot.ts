/** Raised with every change that an older reader would misread. */
export const SNAPSHOT_VERSION = 1

/** Everything that the page shows of one run, at one moment. Bounded, however long the run is. Times are in milliseconds since 1970. */
export interface RunSnapshot {
  readonly version: typeof SNAPSHOT_VERSION
  readonly runId: string
  readonly pid: number
  readonly program: string
  readonly target: string
  readonly startedAt: number
  /** When this was written: a run that is silent for long has stopped answering. */
  readonly at: number
  readonly endedAt: number | undefined
  readonly workers: readonly WorkerSnapshot[]
  readonly maps: readonly MapSnapshot[]
  readonly functions: readonly FunctionSnapshot[]
  /** The last minutes, oldest first; seconds in which nothing happened are left out. */
  readonly seconds: readonly SecondSnapshot[]
  /** Slowest first. */
  readonly slowest: readonly SlowCall[]
  /** Newest first. */
  readonly errors: readonly ErrorSnapshot[]
  /** Newest last. */
  readonly log: readonly LogSnapshot[]
}

export interface WorkerSnapshot {
  readonly id: string
  readonly pool: string
  readonly state: 'starting' | 'ready' | 'gone'
  readonly since: number
  readonly done: number
  readonly failed: number
  /** Why it is gone; `undefined` when it was not needed any more. */
  readonly error: string | undefined
}

export interface MapSnapshot {
  readonly id: number
  readonly functionId: string
  readonly total: number | undefined
  readonly done: number
  readonly failed: number
  readonly inFlight: number
  readonly cached: number
  readonly startedAt: number
  readonly endedAt: number | undefined
}

export interface FunctionSnapshot {
  readonly id: string
  readonly done: number
  readonly failed: number
  readonly retried: number
  readonly totalMs: number
  readonly maxMs: number
}

export interface SecondSnapshot {
  /** Whole seconds since 1970. */
  readonly second: number
  readonly done: number
  readonly failed: number
}

export interface SlowCall {
  readonly callId: number
  readonly functionId: string
  readonly workerId: string
  readonly attempt: number
  readonly durationMs: number
  readonly at: number
}

export interface ErrorSnapshot {
  readonly at: number
  readonly functionId: string
  readonly workerId: string | undefined
  readonly attempt: number
  /** Whether the call was tried again. */
  readonly isRetried: boolean
  readonly name: string
  readonly message: string
  readonly stack: string
  /** Where in the user's source it was thrown, as `/app/src/main.ts:12:5`. */
  readonly source: string | undefined
}

export interface LogSnapshot {
  readonly at: number
  readonly workerId: string
  readonly stream: 'stdout' | 'stderr'
  readonly line: string
}
