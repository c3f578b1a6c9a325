/** Where lifted functions run. */
export type Target = 'local' | 'kubernetes' | 'inline'

/** Options of one pool: a group of equal workers. Functions without a pool name are in `default`. */
export interface PoolInput {
  /** Most workers at a time. Default: `local`, the number of cores; `kubernetes`, 10. */
  readonly maxReplicas?: number
  /** Workers kept even when idle. Default 0. */
  readonly minReplicas?: number
  /** Calls that a worker runs at a time (its executor threads). Default: `local` 1; `kubernetes` the CPU request, rounded up. */
  readonly concurrency?: number
  /** Idle workers above `minReplicas` are stopped after this time. Default 30_000. */
  readonly idleTimeoutMs?: number
}

/** What users may set: in `turbolift({ … })`, by `TURBOLIFT_*` variables, by `configure()`. The later wins. */
export interface ConfigInput {
  /** Default `local`. Environment: `TURBOLIFT_TARGET`. */
  readonly target?: Target
  /** Pools by name. */
  readonly pools?: Readonly<Record<string, PoolInput>>
}
