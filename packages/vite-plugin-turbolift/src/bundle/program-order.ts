/** The modules of the program, as the main build knows them. */
export interface MainProgram {
  readonly entries: ReadonlySet<string>
  /** `undefined` for a module that is not part of it. */
  importsOf(id: string): readonly string[] | undefined
  codeOf(id: string): string
}

/**
 * The order in which the program runs the modules that it imports statically. What a lifted module imports for its
 * lifted functions alone has left the main program, and comes in the place where the worker's side imports it.
 */
export function toProgramOrder(
  program: MainProgram,
  workerImportsOf: (id: string) => readonly string[] | undefined,
): readonly string[] {
  const seen = new Set<string>()
  const order: string[] = []
  const enter = (id: string): void => {
    if (seen.has(id)) return
    seen.add(id)
    for (const imported of mergeInOrder(workerImportsOf(id) ?? [], program.importsOf(id) ?? [])) enter(imported)
    order.push(id)
  }
  for (const entry of program.entries) enter(entry)
  return order
}

/** `[a, c, d]` and `[b, c, e]` → `[a, b, c, d, e]`: both orders hold, where they agree. */
export function mergeInOrder(first: readonly string[], second: readonly string[]): readonly string[] {
  const merged: string[] = []
  let from = 0
  for (const id of second) {
    const at = first.indexOf(id, from)
    if (at === -1) {
      if (!first.includes(id)) merged.push(id)
      continue
    }
    merged.push(...first.slice(from, at + 1))
    from = at + 1
  }
  merged.push(...first.slice(from))
  return [...new Set(merged)]
}
