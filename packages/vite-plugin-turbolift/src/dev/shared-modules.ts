import type { DevEnvironment, Rollup } from 'vite'

import type { LiftedModules } from '../registry.ts'
import { isDirectLoad } from './main-entries.ts'
import type { MainEntries } from './main-entries.ts'

interface Import {
  readonly source: string
  readonly importer: string | undefined
  readonly environment: DevEnvironment
}

/**
 * Lifted modules that other modules of a worker import, whose exports are kept. In a build that is known at the end
 * of the graph; here it can come up when the module is loaded already, without them.
 */
export class SharedModules {
  readonly #modules: LiftedModules
  readonly #entries: MainEntries
  readonly #shared: Set<string> = new Set()

  constructor(modules: LiftedModules, entries: MainEntries) {
    this.#modules = modules
    this.#entries = entries
  }

  /**
   * Resolves an import of the worker's side, and notes when it is of a lifted module.
   * @throws LiftCompileError `WORKER_REACHES_ENTRY`
   */
  async resolve(
    context: Pick<Rollup.PluginContext, 'resolve'>,
    { source, importer, environment }: Import,
  ): Promise<Rollup.ResolvedId | null> {
    if (importer === undefined || isDirectLoad(importer, this.#modules.root)) return null
    const resolved = await context.resolve(source, importer, { skipSelf: true })
    if (resolved !== null) this.#entries.refuse(resolved.id, importer, environment.moduleGraph)
    if (resolved === null || !this.#modules.has(resolved.id) || this.#shared.has(resolved.id)) return resolved
    this.#shared.add(resolved.id)
    const loaded = environment.moduleGraph.getModuleById(resolved.id)
    if (loaded !== undefined) environment.moduleGraph.invalidateModule(loaded)
    return resolved
  }

  isShared(id: string, environment: DevEnvironment): boolean {
    const importers = environment.moduleGraph.getModuleById(id)?.importers.size ?? 0
    return importers > 0 || this.#shared.has(id)
  }
}
