import { clearTimeout, delay, setTimeout } from '@turbolift/worker-base/clock'

import { callTimedOut } from './errors.ts'
import type { CallOptions } from './lifted.ts'
import { retryDelayMs } from './retry.ts'
import { onAbort } from './signals.ts'

/** An ordinary function with what it is called with. */
export interface PlainCall {
  readonly name: string
  readonly run: () => unknown
}

const NOT_ENDED = 'It runs in the process that called it, which cannot end it: it goes on, and nobody waits for it.'

/**
 * Calls an ordinary function as the options say. It cannot be ended from outside: after an abort or its time nobody
 * waits for it any more.
 * @throws CallTimeoutError `CALL_TIMEOUT`; the signal's reason
 */
export async function callPlain(call: PlainCall, options: CallOptions): Promise<unknown> {
  for (let tried = 1; ; tried += 1) {
    try {
      options.signal?.throwIfAborted()
      return await tryOnce(call, options)
    } catch (error) {
      const delayMs = retryDelayMs(error, { options, tried, random: Math.random() })
      if (delayMs === undefined) throw error
      // As part of a call that is pending: the program does not end meanwhile.
      await delay(delayMs, { signal: options.signal })
    }
  }
}

function tryOnce({ name, run }: PlainCall, { signal, timeoutMs = 0 }: CallOptions): unknown {
  if (signal === undefined && timeoutMs === 0) return run()
  return new Promise((resolve, reject) => {
    const expire = () => reject(callTimedOut(name, NOT_ENDED))
    const timer = timeoutMs === 0 ? undefined : setTimeout(expire, timeoutMs)
    const unwatch = signal && onAbort(signal, () => reject(signal.reason))
    const end = () => {
      clearTimeout(timer)
      unwatch?.()
    }
    new Promise((settle) => settle(run())).then(resolve, reject).finally(end)
  })
}
