import type { ParseArgsConfig } from 'node:util'

import { ConfigError } from '../errors.ts'

/** One command of the `turbolift` program. */
export interface Command {
  /** What `--help` says: one sentence. */
  readonly about: string
  /** What follows the command's name: `<run> [--follow]`. */
  readonly usage: string
  readonly options: NonNullable<ParseArgsConfig['options']>
  /** For `--help`: what each option means. */
  readonly explain: Readonly<Record<string, string>>
  /** It runs a program of the user: signals are that program's own. */
  readonly isProgram?: true
  /** @returns the exit code: 0 when all is well, 1 when something was found or failed */
  run(call: CommandCall): Promise<number>
}

export interface CommandCall {
  readonly values: Readonly<Record<string, string | boolean | undefined>>
  readonly positionals: readonly string[]
  readonly output: CommandOutput
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
}

export interface CommandOutput {
  /** A line of the result, on the standard output. */
  print(line: string): void
  /** A line beside the result, on the standard error. */
  note(line: string): void
}

/** A text option, or `undefined`. */
export function textOption({ values }: CommandCall, name: string): string | undefined {
  const value = values[name]
  return typeof value === 'string' ? value : undefined
}

/** Whether a flag is set. */
export function flagOption({ values }: CommandCall, name: string): boolean {
  return values[name] === true
}

/** The command was called in a way that it does not have; ends with exit code 2. */
export function wrongUsage(what: string, fix: string): ConfigError {
  return new ConfigError('COMMAND_USAGE', { what, why: 'The command line cannot be understood.', fix })
}
