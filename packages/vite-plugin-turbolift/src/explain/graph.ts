/** What the bundler knows of the modules in the workers' chunks, by module id. */
export type WorkerGraph = ReadonlyMap<string, WorkerModule>

export interface WorkerModule {
  /** Ids that it imports, statically or not, resolved; what stays outside of the chunks is not in the graph. */
  readonly imports: readonly string[]
  /** Its code as it stands in the chunks; empty when nothing of it is used. */
  readonly code: string
}

export interface Reached {
  readonly id: string
  /** From the module of the lifted function to the one that imports it; empty for the first. */
  readonly chain: readonly string[]
}

/** All that `start` needs, each with the shortest chain of imports that leads there. */
export function reachModules(graph: WorkerGraph, start: string): readonly Reached[] {
  const reached = new Map<string, Reached>([[start, { id: start, chain: [] }]])
  for (const { id, chain } of reached.values()) {
    for (const imported of graph.get(id)?.imports ?? []) {
      if (!reached.has(imported)) reached.set(imported, { id: imported, chain: [...chain, id] })
    }
  }
  return [...reached.values()]
}
