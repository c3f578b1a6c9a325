import { pause, retryDelayMs } from './retry.ts'
import type { RetryOptions } from './retry.ts'

/** Calls an ordinary function, and tries again as the options say. */
export async function callPlain(call: () => unknown, options: RetryOptions): Promise<unknown> {
  for (let tried = 1; ; tried += 1) {
    try {
      options.signal?.throwIfAborted()
      return await call()
    } catch (error) {
      const delayMs = retryDelayMs(error, { options, tried, random: Math.random() })
      if (delayMs === undefined) throw error
      await pause(delayMs, options.signal)
    }
  }
}
