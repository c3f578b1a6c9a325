import { createFilter } from '@rollup/pluginutils'
import type { FilterPattern } from '@rollup/pluginutils'
import { checkOptions, invalidOption } from 'turbolift/manifest'
import type { ConfigInput } from 'turbolift/manifest'

import { mayHoldLifted } from './directive.ts'

/** What users write in `turbolift({ … })`. Options of the run are defaults that environment and `configure()` override. */
export interface TurboliftOptions extends ConfigInput {
  /** Checks by the project's own TypeScript that arguments and results can be sent. Default `true`. */
  readonly typecheck?: boolean
  /** Writes the report of what each worker holds to this file (`.json` or `.md`). Default: only to `node_modules/.turbolift/`. */
  readonly report?: string | undefined
  /**
   * Packages that workers take from where they are installed, not from their chunks: for those that a bundler breaks,
   * as when they look for files of their own. On a cluster they have to be in the image. Default: those with native code.
   */
  readonly external?: readonly string[]
  /** Only these modules may have lifted functions: patterns as in other plugins. Default: all. */
  readonly include?: FilterPattern
  /** These modules have no lifted functions, whatever directives they hold. Default: none. */
  readonly exclude?: FilterPattern
}

export interface ResolvedOptions {
  readonly run: ConfigInput
  readonly pools: readonly string[]
  readonly typecheck: boolean
  readonly report: string | undefined
  readonly external: ReadonlySet<string>
  /** Whether a module is worth parsing. */
  readonly concerns: (code: string, id: string) => boolean
}

export function resolveOptions(options: TurboliftOptions): ResolvedOptions {
  checkOwn(options)
  const { typecheck = true, report, external = [], include, exclude, ...run } = options
  checkOptions(run)
  const isIncluded = createFilter(include, exclude)
  // Filters leave out ids with a null byte, which are modules that other plugins make.
  const concerns = (code: string, id: string): boolean => mayHoldLifted(code, id) && isIncluded(id.replaceAll('\0', ''))
  return { run, pools: Object.keys(run.pools ?? {}), typecheck, report, external: new Set(external), concerns }
}

/** The options of the plugin alone: what each may be, and how to say so. */
const OWN: Readonly<Record<string, readonly [expected: string, isValid: (value: unknown) => boolean]>> = {
  typecheck: ['true or false', (value) => typeof value === 'boolean'],
  report: ['the path of a file', (value) => typeof value === 'string'],
  external: ["a list of names of packages, such as ['sharp']", isListOfTexts],
  include: ['a pattern, a regular expression, or a list of them', isPattern],
  exclude: ['a pattern, a regular expression, or a list of them', isPattern],
}

/** @throws ConfigError `OPTION_INVALID` */
function checkOwn(options: unknown): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw invalidOption('turbolift(…)', 'an object of options, or nothing', options)
  for (const [name, [expected, isValid]] of Object.entries(OWN)) {
    const value: unknown = Reflect.get(options, name)
    if (value !== undefined && !isValid(value)) throw invalidOption(`turbolift({ ${name} })`, expected, value)
  }
}

function isListOfTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

function isPattern(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isPattern)
  return value === null || typeof value === 'string' || value instanceof RegExp
}
