import type { Invoker, Settle } from './invoker.ts'
import type { CallOptions } from './lifted.ts'
import { callPlain } from './plain-call.ts'

/** Calls at a time of a function that runs in this process. */
const APPETITE = 64

/** Calls an ordinary function: in a worker, where lifted functions call each other directly, and in tests. */
export class PlainInvoker implements Invoker {
  readonly appetite: number = APPETITE
  readonly #fn: (...args: never[]) => unknown
  readonly #options: CallOptions

  constructor(fn: (...args: never[]) => unknown, options: CallOptions) {
    this.#fn = fn
    this.#options = options
  }

  start(args: readonly unknown[], settle: Settle): AbortController {
    const stop = new AbortController()
    const call = { name: this.#fn.name, run: () => Reflect.apply(this.#fn, undefined, args) }
    callPlain(call, { ...this.#options, signal: stop.signal }).then(
      (value) => settle.resolve(value),
      (error) => settle.reject(error),
    )
    return stop
  }

  /** What runs in this process cannot be ended from outside; nobody waits for it any more, and it is not tried again. */
  cancel(call: unknown, reason: unknown): void {
    if (call instanceof AbortController) call.abort(reason)
  }
}
