import { CallTimeoutError, LiftError } from '../errors.ts'
import type { CallOptions } from './lifted.ts'
import { FatalError, RetryableError } from './user-errors.ts'

const DEFAULT_DELAY_MS = 100
const LONGEST_DELAY_MS = 30_000
/** Timers take no longer delays, and begin at once instead: 24 days. */
const LONGEST_ASKED_MS = 2 ** 31 - 1
/** Retries that a `RetryableError` gets without anybody asking for them. */
const RETRYABLE_RETRIES = 3

export type RetryOptions = Pick<CallOptions, 'retries' | 'retryDelayMs' | 'signal'>

/**
 * How long to wait before a call that failed is tried again, or `undefined` when it is not.
 * @param tried how often it was tried so far
 * @param random 0 to 1, for the jitter
 */
export function retryDelayMs(
  error: unknown,
  { options, tried, random }: { readonly options: RetryOptions; readonly tried: number; readonly random: number },
): number | undefined {
  const retries = options.retries ?? (error instanceof RetryableError ? RETRYABLE_RETRIES : 0)
  if (tried > retries || options.signal?.aborted === true || !isWorthRetrying(error)) return undefined
  const asked = askedDelayMs(error)
  if (asked !== undefined) return asked
  const delayMs = Math.min((options.retryDelayMs ?? DEFAULT_DELAY_MS) * 2 ** (tried - 1), LONGEST_DELAY_MS)
  return delayMs * (0.5 + random / 2)
}

// Errors of ours say that the call cannot work, or were retried already; what users throw may work the next time.
function isWorthRetrying(error: unknown): boolean {
  if (error instanceof LiftError) return error instanceof CallTimeoutError
  return !(error instanceof FatalError)
}

function askedDelayMs(error: unknown): number | undefined {
  if (!(error instanceof RetryableError)) return undefined
  const { retryAfterMs } = error
  if (typeof retryAfterMs !== 'number' || Number.isNaN(retryAfterMs)) return undefined
  return Math.min(Math.max(retryAfterMs, 0), LONGEST_ASKED_MS)
}
