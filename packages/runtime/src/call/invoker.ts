/** Who waits for one call of a map. */
export interface Settle {
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** A way to call a function many times. */
export interface Invoker {
  /** Begins a call; returns what `cancel` takes. `settle` hears of it once, maybe before this returns. */
  start(args: readonly unknown[], settle: Settle): unknown
  /** Gives up on a call that `start` began. */
  cancel(call: unknown, reason: unknown): void
  /** How many calls at a time keep all workers busy. */
  readonly appetite: number
}
