import { join, resolve } from 'node:path'

import type { DevEnvironment, ResolvedConfig, Rollup } from 'vite'

import { workerReachesEntry } from '../diagnostics.ts'
import { cleanId, toPath } from '../module-id.ts'
import type { ResolveOptions } from '../bundle/child-plugin.ts'
import type { LiftedModules } from '../registry.ts'

/** What a `resolveId` hook is asked; `how` is for the plugins that it asks in turn. */
export interface Import {
  readonly source: string
  readonly importer: string | undefined
  readonly how: ResolveOptions
}

/**
 * The modules that the program starts from, which no worker may load. A build has a list of them; here they are those
 * that the configuration names, and those of the project that are loaded without being imported.
 */
export class MainEntries {
  readonly #modules: LiftedModules
  readonly #files: Set<string> = new Set()

  constructor(modules: LiftedModules) {
    this.#modules = modules
  }

  /** Notes a file, given from the project's root. */
  add(file: string): void {
    this.#files.add(resolve(this.#modules.root, file))
  }

  /** Notes what the configuration names as input of code for servers. */
  addInputs({ build, environments }: Pick<ResolvedConfig, 'build' | 'environments'>): void {
    const servers = Object.values(environments).filter(({ consumer }) => consumer === 'server')
    for (const { ssr, rollupOptions, lib } of [build, ...servers.map((environment) => environment.build)]) {
      if (ssr === false) continue
      const inputs = rollupOptions.input ?? (lib === false ? undefined : lib.entry)
      for (const input of [...toInputs(inputs), ...(typeof ssr === 'string' ? [ssr] : [])]) this.add(input)
    }
  }

  /** Notes a module of the project that is loaded by its name alone. */
  async noteLoaded(context: Pick<Rollup.PluginContext, 'resolve'>, { source, importer, how }: Import): Promise<void> {
    if (!isDirectLoad(importer, this.#modules.root)) return
    const resolved = await context.resolve(source, importer, { ...how, skipSelf: true })
    const file = resolved === null ? '' : cleanId(resolved.id)
    const path = toPath(this.#modules.root, file)
    if (file !== path && !path.startsWith('..') && !path.includes('node_modules/')) this.#files.add(file)
  }

  /** @throws LiftCompileError `WORKER_REACHES_ENTRY` when a module of a worker imports an entry */
  refuse(id: string, importer: string, graph: DevEnvironment['moduleGraph']): void {
    if (!this.#files.has(cleanId(id))) return
    const chain = [...this.#chainTo(importer, graph), id]
    throw workerReachesEntry(chain.map((one) => toPath(this.#modules.root, one)))
  }

  /** The shortest way from a lifted module to this one. */
  #chainTo(id: string, graph: DevEnvironment['moduleGraph']): readonly string[] {
    const chains = new Map<string, readonly string[]>([[id, [id]]])
    for (const [at, chain] of chains) {
      if (this.#modules.has(at)) return chain
      for (const importer of graph.getModuleById(at)?.importers ?? []) {
        if (importer.id !== null && !chains.has(importer.id)) chains.set(importer.id, [importer.id, ...chain])
      }
    }
    return [id]
  }
}

/** Vite names a page as the importer of what nothing imports. */
export function isDirectLoad(importer: string | undefined, root: string): boolean {
  return importer === undefined || importer === join(root, 'index.html')
}

function toInputs(input: string | readonly string[] | Readonly<Record<string, string>> | undefined): readonly string[] {
  if (input === undefined) return []
  return typeof input === 'string' ? [input] : Object.values(input)
}
