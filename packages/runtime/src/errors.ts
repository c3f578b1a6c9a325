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
  constructor(code: string, { what, why, fix }: Explanation, options?: ErrorOptions) {
    super(`${what}\n  why: ${why}\n  fix: ${fix}`, options)
    this.code = code
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

/** A call was cancelled by its signal, or because the run ended. */
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

/** @param written what the user wrote, as `configure({ target })` */
export function unknownOption(written: string, key: string, meant: string | undefined): ConfigError {
  return new ConfigError('OPTION_UNKNOWN', {
    what: `${written}: there is no option "${key}".`,
    why: 'An option that nothing reads would be ignored silently.',
    fix: meant === undefined ? 'docs/configuration.md lists all options.' : `Did you mean "${meant}"?`,
  })
}

/** @param expects completes "Expected …" */
export function invalidOption(written: string, expects: string, value: unknown): ConfigError {
  return new ConfigError('OPTION_INVALID', {
    what: `${written}: got ${describe(value)}.`,
    why: `Expected ${expects}.`,
    fix: 'Change the value, or leave it out for the default.',
  })
}

/** A `TURBOLIFT_*` variable that nothing reads but that looks like one that is read. */
export function unknownVariable(name: string, meant: string): ConfigError {
  return new ConfigError('VARIABLE_UNKNOWN', {
    what: `The environment variable ${name} is set, but nothing reads it.`,
    why: 'A variable with a slip in its name would be ignored silently.',
    fix: `Did you mean ${meant}? Rename or unset it.`,
  })
}

/** `configure()` after the first lifted call, when the configuration is in use. */
export function configuredTooLate(): ConfigError {
  return new ConfigError('CONFIGURED_TOO_LATE', {
    what: 'configure() was called after the first lifted call.',
    why: 'Workers may run already with the options as they were.',
    fix: 'Call configure() at the top of the main module, before any lifted call.',
  })
}

/** The bundle was built by a plugin that writes another version of the manifest. */
export function manifestVersion(version: number): DeployError {
  return new DeployError('MANIFEST_VERSION', {
    what: `This program was built for version ${version} of turbolift's manifest.`,
    why: 'The plugin that built it and the runtime inside it are of different releases.',
    fix: 'Install the same version of "turbolift" and "vite-plugin-turbolift", and build again.',
  })
}

/** @param why completes "The worker files in this program are damaged: …" */
export function manifestDamaged(why: string, cause: unknown): DeployError {
  return new DeployError(
    'MANIFEST_DAMAGED',
    {
      what: 'The worker files inside this program are not as they were built.',
      why: `Damaged in storage, or changed after the build: ${why}.`,
      fix: 'Build the program again, and keep other tools from editing the bundle.',
    },
    { cause },
  )
}

/** Worker code would be started from a folder that others can change. */
export function folderUnsafe(folder: string): DeployError {
  return new DeployError('FOLDER_UNSAFE', {
    what: `Worker files are not put into "${folder}".`,
    why: 'Other users own it or can write to it, so they could change the code that is started from it.',
    fix: 'Choose a folder of your own with TURBOLIFT_CACHE_FOLDER, or take away the write permission of others.',
  })
}

export interface WorkerExit {
  readonly id: string
  readonly exitCode: number | null
  readonly signal: string | null
  /** The last lines that it printed to stderr. */
  readonly lastLines: readonly string[]
}

/** A worker process ended by itself. */
export function workerExited({ id, exitCode, signal, lastLines }: WorkerExit, cause: Error | undefined): DeployError {
  const how = signal === null ? `with exit code ${exitCode}` : `by the signal ${signal}`
  const said = lastLines.length === 0 ? '' : `\n  its last lines:\n${lastLines.map((line) => `    ${line}`).join('\n')}`
  return new DeployError(
    'WORKER_EXITED',
    {
      what: cause === undefined ? `Worker ${id} ended ${how}.` : `Worker ${id} could not be started: ${cause.message}.`,
      why: `A lifted function or a module of it ended the process, or the system did, for lack of memory.${said}`,
      fix: 'Look at the last lines; run with TURBOLIFT_TARGET=inline to debug the functions in this process.',
    },
    { cause },
  )
}

/** A worker process runs but does not listen. */
export function workerStartTimeout(id: string, cause: Error): DeployError {
  return new DeployError(
    'WORKER_START_TIMEOUT',
    {
      what: `Worker ${id} did not answer in time after its start.`,
      why: `The last try to connect said: ${cause.message}.`,
      fix: 'Raise startTimeoutMs if this machine is busy.',
    },
    { cause },
  )
}

/** The connection to a worker broke, or could not be made. */
export function workerUnreachable(id: string, cause: unknown): DeployError {
  return new DeployError(
    'WORKER_UNREACHABLE',
    {
      what: `The connection to worker ${id} is gone.`,
      why: cause instanceof Error ? cause.message : 'The worker closed it: it ended, or was ended.',
      fix: 'Nothing, if it happens once: its calls are tried again on another worker.',
    },
    { cause },
  )
}

/** A worker neither answers calls nor pings. */
export function workerSilent(id: string, silentMs: number): DeployError {
  return new DeployError('WORKER_SILENT', {
    what: `Worker ${id} was silent for ${silentMs / 1000} s.`,
    why: 'It answers pings however busy its functions are, so it is stopped, or the network to it is gone.',
    fix: 'Nothing, if it happens once: its calls are tried again on another worker.',
  })
}

/** The worker's code did not load. */
export function workerFailed(id: string, cause: unknown): DeployError {
  return new DeployError(
    'WORKER_FAILED',
    {
      what: `Worker ${id} cannot load its code.`,
      why: cause instanceof Error ? cause.message : String(cause),
      fix: 'Look at the cause; a package with native code has to be installed where the worker runs.',
    },
    { cause },
  )
}

/** A worker was lost in each try of a call. */
export function workerLost(name: string, tries: number, cause: unknown): WorkerLostError {
  return new WorkerLostError(
    'WORKER_LOST',
    {
      what: `A call of "${name}" was given up: its worker went away in each of ${tries} tries.`,
      why: cause instanceof Error ? cause.message : String(cause),
      fix: 'This call probably ends its worker: look for process.exit(), native code that crashes, or memory without end.',
    },
    { cause },
  )
}

/** @param detail what the worker said of it, with the time */
export function callTimedOut(name: string, detail: string): CallTimeoutError {
  return new CallTimeoutError('CALL_TIMEOUT', {
    what: `A call of "${name}" took longer than its timeoutMs and was ended.`,
    why: detail === '' ? 'timeoutMs counts from when the function begins to run.' : detail,
    fix: 'Raise timeoutMs, or make the call smaller.',
  })
}

/** A call that nobody will answer any more, because the program ends. */
export function runEnded(name: string): CancelledError {
  return new CancelledError('RUN_ENDED', {
    what: `A call of "${name}" was cancelled.`,
    why: 'The program is ending, and its workers with it.',
    fix: 'Await all calls before the program ends.',
  })
}

export function functionOutOfMemory(name: string, detail: string): OutOfMemoryError {
  return new OutOfMemoryError('OUT_OF_MEMORY', {
    what: `A call of "${name}" used more memory than its worker has.`,
    why: detail === '' ? 'The heap of its executor is full.' : detail,
    fix: 'Give it less at a time, or give the worker more memory.',
  })
}

export function unknownFunction(liftId: string, known: string): DeployError {
  return new DeployError('FUNCTION_UNKNOWN', {
    what: `The worker has no lifted function "${liftId}".`,
    why: known === '' ? 'Its code is of another build.' : `It has: ${known}.`,
    fix: 'Build the program again.',
  })
}

/** @param lost `path` and `detail` of what the worker refused to send */
export function resultUnsendable(
  name: string,
  lost: { readonly path?: string; readonly detail: string },
): TransferError {
  return new TransferError('RESULT_UNSENDABLE', {
    what: `The result of "${name}" cannot be sent to the program${lost.path === undefined ? '' : `: ${lost.path}`}.`,
    why: lost.detail,
    fix: 'Return plain data: objects, arrays, Map, Set, Date, typed arrays and the like.',
  })
}

/** @param error what the encoder said, with the path */
export function argumentUnsendable(name: string, error: Error): TransferError {
  return new TransferError(
    'ARGUMENT_UNSENDABLE',
    {
      what: `A call of "${name}" cannot be sent.`,
      why: error.message,
      fix: 'Pass plain data: objects, arrays, Map, Set, Date, typed arrays and the like.',
    },
    { cause: error },
  )
}

export function callTooLarge(name: string, cause: Error): TransferError {
  return new TransferError(
    'CALL_TOO_LARGE',
    {
      what: `The arguments of a call of "${name}" are too large to be sent.`,
      why: cause.message,
      fix: 'Split the input, or pass a path or URL that the function reads itself.',
    },
    { cause },
  )
}

export function queueFull(name: string, most: number): LiftError {
  return new LiftError('QUEUE_FULL', {
    what: `A call of "${name}" was refused: ${most} calls wait already.`,
    why: 'Calls are made faster than workers answer, and each one that waits holds its arguments in memory.',
    fix: 'Use map(), which reads its inputs only as fast as they are worked on, or raise maxQueuedCalls.',
  })
}

/** The worker refused the connection. */
export function workerRefused(id: string, cause: Error): DeployError {
  return new DeployError(
    'WORKER_REFUSED',
    {
      what: `Worker ${id} refused the connection.`,
      why: cause.message,
      fix: 'Start the program again; if it stays, a proxy in between answers, or workers of another build are there.',
    },
    { cause },
  )
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

export function mapFailed(name: string, failures: readonly MapFailure[]): MapFailedError {
  const shown = failures
    .slice(0, 5)
    .map(({ index, error }) => `\n    [${index}] ${error instanceof Error ? error.message : String(error)}`)
  const { what, why, fix } = {
    what: `${failures.length} calls of "${name}" failed, one more than maxFailures allows.`,
    why: `The first of them, with the index of the input:${shown.join('')}`,
    fix: 'Look at the errors in "failures", or raise maxFailures.',
  }
  return new MapFailedError(failures, `${what}\n  why: ${why}\n  fix: ${fix}`)
}

/** A call of a map that is not needed any more. */
export function mapStopped(name: string): CancelledError {
  return new CancelledError('MAP_STOPPED', {
    what: `A call of "${name}" was cancelled.`,
    why: 'Its map has ended early: the loop was left, or another call failed.',
    fix: 'Nothing: nobody waits for it.',
  })
}

/** `map` of a function whose calls give many values each. */
export function mapOfStream(name: string): LiftError {
  return new LiftError('MAP_OF_STREAM', {
    what: `map() cannot be used with "${name}".`,
    why: 'It is an async generator: each call gives many values, not one result.',
    fix: 'Call it in a loop with "for await", or let it return an array.',
  })
}

// Kind and, for what is short and no secret, the value.
function describe(value: unknown): string {
  if (typeof value === 'string')
    return value.length <= 40 ? JSON.stringify(value) : `a text of ${value.length} characters`
  if (value === null || ['number', 'boolean', 'undefined', 'bigint'].includes(typeof value)) return String(value)
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
