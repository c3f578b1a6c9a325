import { setTimeout as delay } from 'node:timers/promises'

import { CallTimeoutError, LiftError } from '../errors.ts'
import type { CallOptions } from './lifted.ts'
import { FatalError, RetryableError } from './user-errors.ts'

const DEFAULT_DELAY_MS = 100
const LONGEST_DELAY_MS = 30_000
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

/** Waits before a retry, as part of a call that is pending: the program does not end meanwhile. */
export async function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  await delay(delayMs, undefined, { signal }).catch((error: unknown) => {
    throw signal?.reason ?? error
  })
}

// Errors of ours say that the call cannot work, or were retried already; what users throw may work the next time.
function isWorthRetrying(error: unknown): boolean {
  if (error instanceof LiftError) return error instanceof CallTimeoutError
  return !(error instanceof FatalError)
}

function askedDelayMs(error: unknown): number | undefined {
  if (!(error instanceof RetryableError)) return undefined
  return typeof error.retryAfterMs === 'number' ? error.retryAfterMs : undefined
}
