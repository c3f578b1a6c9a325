/**
 * Thrown by a lifted function: trying again is of no use. Overrides `retries`.
 * It is recognised by its name, so `instanceof` also holds for one that was thrown in a worker.
 */
export class FatalError extends Error {
  static {
    nameClass(this, 'FatalError')
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'FatalError'
  }
}

/** Options of a `RetryableError`. */
export interface RetryableErrorOptions extends ErrorOptions {
  /** Wait before the next try, in milliseconds, where the cause tells (`Retry-After`). Default: as `retryDelayMs` says. */
  readonly retryAfterMs?: number
}

/**
 * Thrown by a lifted function: trying again may help. It is, three times, even where `retries` is not set.
 * It is recognised by its name, so `instanceof` also holds for one that was thrown in a worker.
 */
export class RetryableError extends Error {
  static {
    nameClass(this, 'RetryableError')
  }

  readonly retryAfterMs: number | undefined
  constructor(message?: string, { retryAfterMs, ...options }: RetryableErrorOptions = {}) {
    super(message, options)
    this.retryAfterMs = retryAfterMs
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'RetryableError'
  }
}

// On the prototype, as in the classes of the language; a minifier may rename the class itself.
function nameClass(target: { readonly prototype: Error }, name: string): void {
  Object.defineProperty(target.prototype, 'name', { value: name, configurable: true, writable: true })
}
