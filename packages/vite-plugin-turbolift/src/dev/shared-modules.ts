import type { DevEnvironment, Rollup } from 'vite'

import { holds, readNames } from '../bundle/shared-exports.ts'
import type { LiftedModules } from '../registry.ts'
import type { KeptExports } from '../slice.ts'
import { isDirectLoad } from './main-entries.ts'
import type { Import, MainEntries } from './main-entries.ts'

interface WorkerImport extends Import {
  readonly environment: DevEnvironment
}

interface Importer {
  /** As the worker has it. */
  readonly code: string
  /** By the module's id, what it imports it by. */
  readonly sources: Map<string, Set<string>>
}

/**
 * Lifted modules that other modules of a worker import, and the exports that these need. In a build that is known at
 * the end of the graph; here it can come up when the module is loaded already, without them.
 */
export class SharedModules {
  readonly #modules: LiftedModules
  readonly #entries: MainEntries
  readonly #importers: Map<string, Importer> = new Map()
  /** What was kept of a lifted module when it was transformed. */
  readonly #kept: Map<string, KeptExports | undefined> = new Map()

  constructor(modules: LiftedModules, entries: MainEntries) {
    this.#modules = modules
    this.#entries = entries
  }

  /** Notes a module of the worker's side; its imports are resolved after that. What it imported before may keep less. */
  noteImporter(id: string, code: string, { moduleGraph }: DevEnvironment): void {
    const before = this.#importers.get(id)
    this.#importers.set(id, { code, sources: new Map() })
    if (before === undefined || before.code === code) return
    for (const imported of before.sources.keys()) if (this.#kept.has(imported)) invalidate(imported, moduleGraph)
  }

  /**
   * Resolves an import of the worker's side, and has a lifted module made anew when it lacks what is imported.
   * @throws LiftCompileError `WORKER_REACHES_ENTRY`
   */
  async resolve(
    context: Pick<Rollup.PluginContext, 'resolve'>,
    { source, importer, how, environment }: WorkerImport,
  ): Promise<Rollup.ResolvedId | null> {
    if (importer === undefined || isDirectLoad(importer, this.#modules.root)) return null
    const resolved = await context.resolve(source, importer, { ...how, skipSelf: true })
    if (resolved === null) return null
    const { id } = resolved
    this.#entries.refuse(id, importer, environment.moduleGraph)
    const sources = this.#importers.get(importer)?.sources
    sources?.set(id, new Set([...(sources.get(id) ?? []), source]))
    const needed = this.#kept.has(id) ? this.#needed(id) : undefined
    if (needed !== undefined && !holds(this.#kept.get(id), needed)) invalidate(id, environment.moduleGraph)
    return resolved
  }

  /** What a lifted module that is transformed now keeps; `undefined` when no other module of a worker imports it. */
  keep(id: string): KeptExports | undefined {
    const needed = this.#needed(id)
    this.#kept.set(id, needed)
    return needed
  }

  #needed(id: string): KeptExports | undefined {
    const names = [...this.#importers.values()].flatMap(({ code, sources }) =>
      [...(sources.get(id) ?? [])].map((source) => readNames(code, source)),
    )
    if (names.length === 0) return undefined
    return names.includes('all') ? 'all' : new Set(names.flat())
  }
}

function invalidate(id: string, graph: DevEnvironment['moduleGraph']): void {
  const loaded = graph.getModuleById(id)
  if (loaded !== undefined) graph.invalidateModule(loaded)
}
