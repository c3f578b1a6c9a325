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

// Kind and, for what is short and no secret, the value.
function describe(value: unknown): string {
  if (typeof value === 'string')
    return value.length <= 40 ? JSON.stringify(value) : `a text of ${value.length} characters`
  if (value === null || ['number', 'boolean', 'undefined', 'bigint'].includes(typeof value)) return String(value)
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
