import { createFilter } from '@rollup/pluginutils'
import type { FilterPattern } from '@rollup/pluginutils'
import { checkOptions } from 'turbolift/manifest'
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

export function resolveOptions({
  typecheck = true,
  report,
  external = [],
  include,
  exclude,
  ...run
}: TurboliftOptions): ResolvedOptions {
  checkOptions(run)
  const isIncluded = createFilter(include, exclude)
  const concerns = (code: string, id: string): boolean => mayHoldLifted(code, id) && isIncluded(id)
  return { run, pools: Object.keys(run.pools ?? {}), typecheck, report, external: new Set(external), concerns }
}
