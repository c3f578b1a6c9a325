import { liftedHandleOf } from './lifted.ts'
import type { CallOptions } from './lifted.ts'
import { checkCallOptions } from './map-options.ts'
import { callPlain } from './plain-call.ts'

/**
 * The same function, whose calls have these options: `const careful = lift(fetchPage, { timeoutMs: 5_000, retries: 3 })`.
 * @throws ConfigError `OPTION_UNKNOWN`, `OPTION_INVALID`
 */
export function lift<F extends (...args: never[]) => unknown>(fn: F, options: CallOptions): F {
  checkCallOptions('lift', options)
  const bound = liftedHandleOf(fn)?.withOptions(options) ?? bindPlain(fn, options)
  // The types are those of `fn`: only how it is called differs.
  return bound as F
}

/** An ordinary function, in a worker or a test: it cannot be ended from outside, but tried again. */
function bindPlain(fn: (...args: never[]) => unknown, options: CallOptions): (...args: never[]) => unknown {
  const bound = (...args: never[]): Promise<unknown> => callPlain({ name: fn.name, run: () => fn(...args) }, options)
  return Object.defineProperties(bound, { name: { value: fn.name }, length: { value: fn.length } })
}
