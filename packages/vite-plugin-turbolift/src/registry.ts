import { existsSync, readFileSync } from 'node:fs'

import type { HostParser } from './ast.ts'
import { toSource } from './source.ts'
import type { Source } from './source.ts'
import { isLiftModuleName } from './directive.ts'
import { liftedExportOf } from './lifted-export.ts'
import type { LiftedFunction } from './lifted-function.ts'
import type { ResolvedOptions } from './options.ts'
import { holdsMark } from './marks.ts'
import { cleanId, toModuleName } from './module-id.ts'
import { locateAll, locateOriginal } from './original.ts'
import type { SourceMapLike } from './original.ts'
import type { KeptExports } from './slice.ts'
import { splitModule } from './split.ts'
import type { SplitModule } from './split.ts'
import type { SubjectReach } from './typecheck/subject.ts'

/** A module that has lifted functions, as the last transform saw it. */
export interface LiftedModule {
  readonly id: string
  /** What lift ids name it by. */
  readonly path: string
  readonly functions: readonly LiftedFunction[]
  /** How the functions' types can be named. */
  reaches(): ReadonlyMap<LiftedFunction, SubjectReach>
}

/** A module's code, with what parses it. */
export interface ModuleSource {
  readonly code: string
  readonly id: string
  readonly parser: SourceContext
}

/** A plugin context: what parses a module, and says what it was made from. */
export interface SourceContext extends HostParser {
  getCombinedSourcemap?(): SourceMapLike
}

/** The modules with lifted functions of one build; it lives as long as the bundler watches. */
export class LiftedModules {
  readonly #modules: Map<string, LiftedModule> = new Map()
  readonly #last: Map<string, { readonly code: string; readonly split: SplitModule | undefined }> = new Map()
  readonly #places: Map<string, SourceMapLike> = new Map()
  readonly #options: ResolvedOptions
  /** The project's folder; in Vite's server it is known when the plugin has been made. */
  root: string

  constructor(options: ResolvedOptions, root: string = process.cwd()) {
    this.#options = options
    this.root = root
  }

  /**
   * The module's two sides. The workers' build asks for the same as the program's, which is then not read again.
   * @throws SyntaxError if the code is not JavaScript
   */
  split(source: ModuleSource, keptExports?: KeptExports): SplitModule | undefined {
    const { code, id } = source
    const last = this.#last.get(id)
    if (last?.code === code && keptExports === undefined) return last.split
    const split = this.#split(source, keptExports)
    if (keptExports === undefined) this.#last.set(id, { code, split })
    return split
  }

  #split({ code, id, parser }: ModuleSource, keptExports: KeptExports | undefined): SplitModule | undefined {
    const { pools } = this.#options
    const path = toModuleName(this.root, id)
    const liftedExport = liftedExportOf(path)
    const source = readMarkedSource(code, id, parser)
    const isLiftModule = isLiftModuleName(id)
    return splitModule(code, { path, liftedExport, isLiftModule, pools, keptExports, parser, source })
  }

  /** Notes what a transform found, or that it found nothing any more. */
  note(id: string, split: SplitModule | undefined): void {
    if (split === undefined || split.functions.length === 0) {
      this.#modules.delete(id)
      return
    }
    const { functions } = split
    const path = toModuleName(this.root, id)
    // Only a type check asks for it.
    this.#modules.set(id, { id, path, functions, reaches: () => split.reaches() })
  }

  /** Those that are part of the build's graph and still have their directives, in a stable order. */
  present(ids: Iterable<string>, isStillLifted: (id: string) => boolean): LiftedModule[] {
    const inGraph = new Set(ids)
    return [...this.#modules.values()]
      .filter(({ id }) => inGraph.has(id) && isStillLifted(id))
      .toSorted((a, b) => (a.path < b.path ? -1 : 1))
  }

  /** Notes where a module's code, as it is compiled when it is split, stands in its file. */
  notePlaces(id: string, places: SourceMapLike): void {
    this.#places.set(id, places)
  }

  /** All that workers and the manifest take from a module, with its places, for comparison. */
  slice({ id, functions }: LiftedModule, parser: SourceContext, keptExports: KeptExports | undefined): string {
    const code = this.#last.get(id)?.code ?? ''
    const side = this.split({ code, id, parser }, keptExports)?.worker()
    const entries = functions.map(({ path, name, pool, kind }) => ({ path, name, pool, kind }))
    const map = this.#places.get(id)
    const places = side === undefined || map === undefined ? [] : locateAll(side.map, map)
    return JSON.stringify({ code: side?.code, places, entries })
  }

  has(id: string): boolean {
    return this.#modules.has(id)
  }
}

/** The source of a module that was compiled, where it has marks. */
function readMarkedSource(code: string, id: string, context: SourceContext): Source | undefined {
  const file = cleanId(id)
  const text = existsSync(file) ? readFileSync(file, 'utf8') : code
  if (text === code || !holdsMark(text)) return undefined
  const map = context.getCombinedSourcemap?.()
  if (map === undefined) return undefined
  const compiled = toSource(id, code)
  return { file: id, text, locate: (offset) => locateOriginal(map, compiled.locate(offset)) }
}
