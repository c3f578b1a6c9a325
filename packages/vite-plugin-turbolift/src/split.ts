import { parseModule } from './ast.ts'
import type { HostParser } from './ast.ts'
import type { Diagnostic } from './diagnostics.ts'
import type { Source } from './source.ts'
import { editMain } from './edit-main.ts'
import { editWorker } from './edit-worker.ts'
import type { SourceMapLike } from './original.ts'
import { findUnitEffects } from './effects/unit-effects.ts'
import { readMarks } from './marks.ts'
import { LIFTED_EXPORT } from './lifted-export.ts'
import { scanModule } from './scan.ts'
import type { LiftedFunction } from './lifted-function.ts'
import { analyzeScopes } from './scope.ts'
import { findDifferingValues, findLeftOutSetUp, findSharedState } from './shared-state.ts'
import { sliceModule } from './slice.ts'
import type { KeptExports } from './slice.ts'
import { findReaches } from './typecheck/reach.ts'
import type { SubjectReach } from './typecheck/subject.ts'
import { divideModule } from './units.ts'

export interface SplitOptions {
  /** What lift ids of this module name it by. */
  readonly path: string
  readonly isLiftModule: boolean
  /** Names of the configured pools. */
  readonly pools: readonly string[]
  /** Exports that the worker's side keeps. Default none. */
  readonly keptExports?: KeptExports | undefined
  /** What the module was compiled from, for the comments that are not in it any more. */
  readonly source?: Source | undefined
  /** Name of the export of the worker's side that holds the lifted functions. Default `$lifted`. */
  readonly liftedExport?: string
  /** Default acorn. */
  readonly parser?: HostParser | undefined
}

export interface SplitModule {
  readonly functions: readonly LiftedFunction[]
  readonly diagnostics: readonly Diagnostic[]
  /** How the types of the functions can be named in the module's TypeScript source. */
  reaches(): ReadonlyMap<LiftedFunction, SubjectReach>
  /** The main program's side: proxies in place of lifted functions, and without what only they needed. */
  main(): Edited
  /** The worker's side: `$lifted` holds the functions by their paths. */
  worker(): Edited
  /** The whole module with only the directives gone: lifted functions are ordinary ones. */
  inline(): Edited
}

export interface Edited {
  readonly code: string
  readonly map: SourceMapLike & { readonly version: number; toString(): string }
}

/**
 * Splits a module into the main program's and the worker's side. Of
 *
 *     import { heavy } from 'heavy'
 *     startServer()
 *     export async function work(n) { 'use lift'; return heavy(n) }
 *
 * the worker gets
 *
 *     import { heavy } from 'heavy'
 *     async function work(n) { return heavy(n) }
 *     export const $lifted = { "work": work }
 *
 * and the main program
 *
 *     startServer()
 *     export const work = $lift($manifest, { … })
 *
 * Returns `undefined` when the module has neither lifted functions nor problems.
 * @throws SyntaxError if the code is not JavaScript
 */
export function splitModule(code: string, options: SplitOptions): SplitModule | undefined {
  const module = parseModule(code, options.parser)
  const scopes = analyzeScopes(module.ast)
  const scan = scanModule(module, { ...options, scopes })
  if (scan.functions.length === 0 && scan.diagnostics.length === 0) return undefined
  const units = divideModule(module, scopes)
  const { path, keptExports, liftedExport = LIFTED_EXPORT } = options
  const marks = readMarks(module, options.source)
  const effects = findUnitEffects({ module, units, scopes, functions: scan.functions })
  const slices = sliceModule({ units, scopes, functions: scan.functions, effects, marks, keptExports })
  const setUp = { module, units, effects, slices, marks }
  const edit = { module, scan, units, slices, path, liftedExport, keepsExports: keptExports !== undefined }
  return {
    functions: scan.functions,
    diagnostics: [
      ...scan.diagnostics,
      ...findSharedState(module, scopes, slices),
      ...findLeftOutSetUp(setUp),
      ...findDifferingValues(setUp),
    ],
    reaches: () => findReaches(module, scan),
    main: () => editMain(edit),
    worker: () => editWorker(edit),
    inline: () => editWorker({ ...edit, slices: { ...slices, worker: new Set(units) }, keepsExports: true }),
  }
}
