import { toVisibleText } from './visible-text.ts'

/** The three parts of every message. */
export interface Explanation {
  /** What happened. */
  readonly what: string
  /** Why it is refused or failed. */
  readonly why: string
  /** What to do. */
  readonly fix: string
}

/** Base of all errors that turbolift itself reports. `code` is stable; see docs/errors.md. */
export class LiftError extends Error {
  override name = 'LiftError'
  readonly code: string
  // Private, since Node prints own properties below the message that already has all of it.
  readonly #explanation: Explanation
  constructor(code: string, explanation: Explanation, options?: ErrorOptions) {
    // They quote clusters, registries and logs.
    const what = toVisibleText(explanation.what)
    const why = toVisibleText(explanation.why)
    const fix = toVisibleText(explanation.fix)
    super(`${what}\n  why: ${why}\n  fix: ${fix}`, options)
    this.code = code
    this.#explanation = { what, why, fix }
  }

  /** The parts of the message. */
  get explanation(): Explanation {
    return this.#explanation
  }
}

/** The configuration is wrong. */
export class ConfigError extends LiftError {
  override name = 'ConfigError'
}

/** Workers could not be started, or all of them are gone for good. */
export class DeployError extends LiftError {
  override name = 'DeployError'
}

/** The workers' image could not be built. */
export class BuildError extends LiftError {
  override name = 'BuildError'
}

/** A value could not cross between program and worker; the message holds the path to it. */
export class TransferError extends LiftError {
  override name = 'TransferError'
}

/** A call took longer than its `timeoutMs`. */
export class CallTimeoutError extends LiftError {
  override name = 'CallTimeoutError'
}

/** A call was cancelled because its run or its map ended. One that its own signal ends rejects with the signal's reason. */
export class CancelledError extends LiftError {
  override name = 'CancelledError'
}

/** The worker that ran a call went away, and so did those that tried it again. */
export class WorkerLostError extends LiftError {
  override name = 'WorkerLostError'
}

/** The function used more memory than its worker has. */
export class OutOfMemoryError extends LiftError {
  override name = 'OutOfMemoryError'
}

/** One failed call of a map. */
export interface MapFailure {
  /** Of the input, from 0. */
  readonly index: number
  readonly error: unknown
}

/** More calls of a map failed than its `maxFailures`. */
export class MapFailedError extends AggregateError {
  override name = 'MapFailedError'
  readonly code = 'TOO_MANY_FAILURES'
  /** The failures with the indexes of their inputs; `errors` holds the same errors alone. */
  readonly failures: readonly MapFailure[]
  constructor(failures: readonly MapFailure[], message: string) {
    super(
      failures.map(({ error }) => error),
      message,
    )
    this.failures = failures
  }
}
