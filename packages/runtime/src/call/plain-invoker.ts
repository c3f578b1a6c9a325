import type { Invoker, Settle } from './invoker.ts'

/** Calls at a time of a function that runs in this process. */
const APPETITE = 64

/** Calls an ordinary function: in a worker, where lifted functions call each other directly, and in tests. */
export class PlainInvoker implements Invoker {
  readonly appetite: number = APPETITE
  readonly #fn: (...args: never[]) => unknown

  constructor(fn: (...args: never[]) => unknown) {
    this.#fn = fn
  }

  start(args: readonly unknown[], { resolve, reject }: Settle): unknown {
    this.#call(args).then(resolve, reject)
    return undefined
  }

  /** What runs in this process cannot be ended from outside; nobody waits for it any more. */
  cancel(): void {
    return undefined
  }

  async #call(args: readonly unknown[]): Promise<unknown> {
    return Reflect.apply(this.#fn, undefined, args)
  }
}
