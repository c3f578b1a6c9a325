import { ConfigError } from '../errors.ts'

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

// Kind and, for what is short and no secret, the value.
function describe(value: unknown): string {
  if (typeof value === 'string')
    return value.length <= 40 ? JSON.stringify(value) : `a text of ${value.length} characters`
  if (value === null || ['number', 'boolean', 'undefined', 'bigint'].includes(typeof value)) return String(value)
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

export function targetNotInDev(): ConfigError {
  return new ConfigError('TARGET_NOT_IN_DEV', {
    what: 'The target "kubernetes" needs a build.',
    why: 'In dev workers load their modules from the Vite server of this machine, which a cluster does not reach.',
    fix: 'Run "vite build" and start the result, or use TURBOLIFT_TARGET=local in dev.',
  })
}
