import { liftedHandleOf } from './lifted.ts'
import type { CallOptions } from './lifted.ts'
import { checkCallOptions } from './map-options.ts'
import { pause, retryDelayMs } from './retry.ts'

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
  const bound = async (...args: never[]): Promise<unknown> => {
    for (let tried = 1; ; tried += 1) {
      try {
        options.signal?.throwIfAborted()
        return await fn(...args)
      } catch (error) {
        const delayMs = retryDelayMs(error, { options, tried, random: Math.random() })
        if (delayMs === undefined) throw error
        await pause(delayMs, options.signal)
      }
    }
  }
  return Object.defineProperties(bound, { name: { value: fn.name }, length: { value: fn.length } })
}
