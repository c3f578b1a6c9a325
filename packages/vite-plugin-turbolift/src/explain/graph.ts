/** What the bundler knows of the modules in the workers' chunks, by module id. */
export type WorkerGraph = ReadonlyMap<string, WorkerModule>

export interface WorkerModule {
  /** Ids that it imports, statically or not, resolved; what stays outside of the chunks is not in the graph. */
  readonly imports: readonly string[]
  /** Its code as it stands in the chunks; empty when nothing of it is used. */
  readonly code: string
}

/** Ids of all that `start` needs, itself first. */
export function reachModules(graph: WorkerGraph, start: string): ReadonlySet<string> {
  const reached = new Set([start])
  for (const id of reached) for (const imported of graph.get(id)?.imports ?? []) reached.add(imported)
  return reached
}

/** Who imports what: of each id the modules that import it, in the order of the graph. */
export function readImporters(graph: WorkerGraph): ReadonlyMap<string, readonly string[]> {
  const importers = new Map<string, string[]>()
  for (const [id, { imports }] of graph) {
    for (const imported of new Set(imports)) {
      const known = importers.get(imported)
      if (known === undefined) importers.set(imported, [id])
      else known.push(id)
    }
  }
  return importers
}
