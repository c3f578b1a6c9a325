import type { ModuleEffects } from '../effects/module-effects.ts'
import { isInPackage } from '../module-id.ts'
import { toProgramOrder } from './program-order.ts'
import type { MainProgram } from './program-order.ts'

/** A module of the workers. */
export interface PlannedModule {
  readonly imports: readonly string[]
  /** `undefined` for modules of packages, and of other plugins. */
  readonly effects: ModuleEffects | undefined
  /** By what it is imported as, the id of what it imports. */
  readonly resolved: ReadonlyMap<string, string>
  readonly code: string
}

export type PlannedModules = ReadonlyMap<string, PlannedModule>

/**
 * What one build of workers finds out for the next one: which modules set up others, and so have to run where the
 * program runs them, whichever function is called first; and which are there only because a barrel exports them.
 */
export class WorkerPlan {
  readonly #sequences: Map<string, readonly string[]> = new Map()
  readonly #unused: Set<string> = new Set()
  /** How often something was added. */
  growth = 0

  /** What a lifted module is loaded with, in order; itself is one of them. */
  sequenceOf(id: string): readonly string[] {
    return this.#sequences.get(id) ?? [id]
  }

  /** Whether a module need not run when nothing of it is used. */
  isUnused(id: string): boolean {
    return this.#unused.has(id)
  }

  read(modules: PlannedModules, entries: readonly string[], program: MainProgram): void {
    for (const id of findReExported(modules)) {
      if (this.#unused.has(id)) continue
      this.#unused.add(id)
      this.growth += 1
    }
    const closures = new Map(entries.map((id) => [id, closureOf(id, modules)] as const))
    const order = toProgramOrder(program, (id) => modules.get(id)?.imports)
    const setters = order.flatMap((id) => toSetter(id, modules) ?? [])
    for (const [id, closure] of closures) {
      const needed = setters.filter((one) => one.id !== id && concerns(one, closure, { modules, closures }))
      const sequence = order.filter((one) => one === id || needed.some((setter) => setter.id === one))
      if (!order.includes(id) || sequence.join('\n') === this.sequenceOf(id).join('\n')) continue
      this.#sequences.set(id, sequence)
      this.growth += 1
    }
  }
}

/** Modules with effects that every importer only exports again. */
function findReExported(modules: PlannedModules): string[] {
  const importers = new Map<string, boolean[]>()
  for (const { effects, resolved, imports } of modules.values()) {
    const passedOn = new Set(
      [...(effects?.reExports ?? [])].flatMap((source) =>
        effects?.otherImports.has(source) === true ? [] : (resolved.get(source) ?? []),
      ),
    )
    for (const id of imports) importers.set(id, [...(importers.get(id) ?? []), passedOn.has(id)])
  }
  return [...importers].flatMap(([id, passed]) => {
    const effects = modules.get(id)?.effects
    return effects !== undefined && isDispensable(effects) && passed.every(Boolean) ? [id] : []
  })
}

/** Whether nothing else waits for what a module does at its top, and a bundler would keep it for that. */
function isDispensable({ isPure, bare, changes, globals }: ModuleEffects): boolean {
  return !isPure && bare.length === 0 && changes.length === 0 && globals.length === 0
}

function closureOf(start: string, modules: PlannedModules): ReadonlySet<string> {
  const closure = new Set([start])
  for (const id of closure) for (const imported of modules.get(id)?.imports ?? []) closure.add(imported)
  return closure
}

/** A module that sets up others. */
interface Setter {
  readonly id: string
  /** `undefined` for a package, which may change anything. */
  readonly targets: ReadonlySet<string> | undefined
  readonly globals: readonly string[]
}

function toSetter(id: string, modules: PlannedModules): Setter | undefined {
  const module = modules.get(id)
  if (module === undefined) return undefined
  if (module.effects === undefined)
    return isImportedForEffect(id, modules) ? { id, targets: undefined, globals: [] } : undefined
  const { changes, globals } = module.effects
  if (changes.length === 0 && globals.length === 0) return undefined
  const targets = new Set(changes.flatMap(({ source }) => module.resolved.get(source) ?? []))
  // What a barrel exports again is what is changed.
  for (const target of targets) {
    const { effects, resolved } = modules.get(target) ?? {}
    for (const source of effects?.reExports ?? []) targets.add(resolved?.get(source) ?? target)
  }
  return { id, targets, globals }
}

/** A package that one of the project's modules imports for its effect alone. */
function isImportedForEffect(id: string, modules: PlannedModules): boolean {
  if (!isInPackage(id)) return false
  return [...modules.values()].some(({ effects, resolved }) =>
    effects?.bare.some((source) => resolved.get(source) === id),
  )
}

interface Workers {
  readonly modules: PlannedModules
  readonly closures: ReadonlyMap<string, ReadonlySet<string>>
}

/**
 * Whether a lifted module sees what a setter does, and would not have it done in time by its own imports alone: it does
 * not import the setter, or shares what that sets up with lifted modules that do not, in a chunk that runs before.
 */
function concerns(
  { id, targets, globals }: Setter,
  closure: ReadonlySet<string>,
  { modules, closures }: Workers,
): boolean {
  const readers = [...closure].filter((one) => {
    if (one === id) return false
    if (targets === undefined || targets.has(one)) return true
    const code = globals.length === 0 ? '' : (modules.get(one)?.code ?? '')
    return globals.some((name) => code.includes(name))
  })
  if (readers.length === 0) return false
  if (!closure.has(id)) return true
  const all = [...closures.values()]
  return readers.some((reader) => all.some((other) => other.has(reader) && !other.has(id)))
}
