import type { Node as EstreeNode } from 'estree'

import type { UnitEffects } from './effects/unit-effects.ts'
import type { Node } from './ast.ts'
import type { LiftedFunction } from './lifted-function.ts'
import type { Binding, ScopeTree } from './scope.ts'
import { usedBindings } from './units.ts'
import type { Unit } from './units.ts'
import type { Mark } from './marks.ts'
import { findWorkerHooks } from './worker-hooks.ts'

/** Which units of a module go where. A unit may be in both, and what nobody needs of the worker's stays out of main. */
export interface Slices {
  readonly worker: ReadonlySet<Unit>
  readonly main: ReadonlySet<Unit>
}

export interface SliceInput {
  readonly units: readonly Unit[]
  readonly scopes: ScopeTree
  readonly functions: readonly LiftedFunction[]
  readonly effects: ReadonlyMap<Unit, UnitEffects>
  readonly marks: ReadonlyMap<Node, Mark>
  /** Exports that the worker needs too, since another of its modules imports them. */
  readonly keptExports: KeptExports | undefined
}

export type KeptExports = ReadonlySet<string> | 'all'

/** Finds what lifted functions need, and what the main program still needs without their bodies. */
export function sliceModule(input: SliceInput): Slices {
  const worker = workerSlice(input)
  return { worker, main: mainSlice(input, worker) }
}

function workerSlice({ units, scopes, functions, effects, marks, keptExports }: SliceInput): Set<Unit> {
  const roots = new Set<Binding>()
  for (const { node, topLevelName, ownClass } of functions) {
    // Without its own name, which may stand for something else by the end of the module.
    for (const part of [...node.params, node.body]) {
      for (const binding of usedBindings(part, scopes)) roots.add(binding)
    }
    for (const name of [topLevelName, ownClass]) {
      const own = name === undefined ? undefined : scopes.module.bindings.get(name)
      if (own !== undefined) roots.add(own)
    }
  }
  const hooks = findWorkerHooks(units, scopes)
  const isMarked = (unit: Unit, mark: Mark): boolean => marks.get(unit.statement) === mark
  const kept = units.filter(
    (unit) =>
      hooks.has(unit) ||
      isMarked(unit, 'keep') ||
      (isImportForEffect(unit) && !isMarked(unit, 'main')) ||
      (keptExports !== undefined && isKeptExport(unit, keptExports)) ||
      functions.some((fn) => isDeclaredBy(unit, fn)),
  )
  const follows = (unit: Unit, seen: ReadonlySet<Binding>): boolean =>
    goesAlong(effects.get(unit), seen) && !isMarked(unit, 'main')
  return reach(units, { roots, kept, uses: (unit) => unit.uses, follows })
}

/** A declaration that is assigned later is taken out by itself, and one without a name where it stands. */
function isDeclaredBy({ node, declares }: Unit, fn: LiftedFunction): boolean {
  return node === fn.node && (fn.topLevelName !== undefined || declares.length === 0)
}

/** Whether a statement does nothing but set up what is seen in the worker. */
function goesAlong(effects: UnitEffects | undefined, seen: ReadonlySet<Binding>): boolean {
  if (effects === undefined || effects.reach === 'seen' || effects.needsCalls) return false
  const { changes, touches, globals } = effects
  const isSeen = (group: ReadonlySet<Binding>): boolean => [...group].some((binding) => seen.has(binding))
  return changes.every(isSeen) && (changes.length > 0 || globals.length > 0 || touches.some(isSeen))
}

/** `import './setup.ts'`: what it is for stands in the other module. Style sheets and the like are for no worker. */
function isImportForEffect({ kind, statement }: Unit): boolean {
  return kind === 'effect' && statement.type === 'ImportDeclaration' && !STYLE.test(String(statement.source.value))
}

const STYLE = /\.(?:css|less|s[ac]ss|styl(?:us)?|pcss|postcss|sss)(?:$|\?)/

/**
 * What stays: all that is exported, and every statement but those that do nothing but set up what only workers use, so
 * that nobody can see it gone.
 */
function mainSlice({ units, scopes, functions, effects, marks }: SliceInput, worker: ReadonlySet<Unit>): Set<Unit> {
  const bodies: ReadonlySet<EstreeNode> = new Set(functions.map(({ node }) => node))
  const hooks = findWorkerHooks(units, scopes)
  const mayLeave = (unit: Unit): boolean => {
    if (!worker.has(unit) || marks.has(unit.statement)) return false
    if (hooks.has(unit)) return true
    const found = effects.get(unit)
    if (unit.kind !== 'effect') return found === undefined || found.globals.length === 0
    return found !== undefined && found.changes.length > 0 && isOfModuleAlone(found)
  }
  const kept = units.filter((unit) => unit.kind === 'export' || isExported(unit) || !mayLeave(unit))
  const uses = (unit: Unit): ReadonlySet<Binding> => usedBindings(unit.node, scopes, bodies)
  const follows = (unit: Unit, seen: ReadonlySet<Binding>): boolean => {
    const { changes = [], touches = [] } = effects.get(unit) ?? {}
    return [...changes, ...touches].some((group) => [...group].some((binding) => seen.has(binding)))
  }
  return reach(units, { roots: new Set(), kept, uses, follows })
}

/** Whether no other module can see what it does: an imported object may be in use there. */
function isOfModuleAlone(effects: UnitEffects): boolean {
  const isOwn = effects.changes.every((group) => [...group].every(({ kind }) => kind !== 'import'))
  return effects.reach === 'known' && effects.globals.length === 0 && isOwn
}

function isKeptExport(unit: Unit, kept: KeptExports): boolean {
  if (unit.kind !== 'export' && !isExported(unit)) return false
  const { statement, declares } = unit
  // What is exported from elsewhere as a whole may be any name.
  if (kept === 'all' || statement.type === 'ExportAllDeclaration') return true
  if (statement.type === 'ExportDefaultDeclaration') return kept.has('default')
  if (statement.type !== 'ExportNamedDeclaration') return false
  const listed = statement.specifiers.map(({ exported }) =>
    exported.type === 'Identifier' ? exported.name : String(exported.value),
  )
  return [...listed, ...declares.map(({ name }) => name)].some((name) => kept.has(name))
}

function isExported({ statement, kind }: Unit): boolean {
  return (
    kind === 'declaration' &&
    (statement.type === 'ExportNamedDeclaration' || statement.type === 'ExportDefaultDeclaration')
  )
}

interface Reach {
  readonly roots: ReadonlySet<Binding>
  readonly kept: readonly Unit[]
  readonly uses: (unit: Unit) => ReadonlySet<Binding>
  /** Whether a statement belongs to what is seen so far. */
  readonly follows: (unit: Unit, seen: ReadonlySet<Binding>) => boolean
}

/** All units that the kept ones and the root bindings need, with those that set up what they need. */
function reach(units: readonly Unit[], { roots, kept, uses, follows }: Reach): Set<Unit> {
  const declaredBy = groupDeclarations(units)
  const live = new Set<Unit>()
  const seen = new Set<Binding>()
  const pending = [...roots]
  const keep = (unit: Unit): void => {
    if (live.has(unit)) return
    live.add(unit)
    pending.push(...uses(unit), ...unit.declares)
  }
  for (const unit of kept) keep(unit)
  while (pending.length > 0) {
    for (let binding = pending.pop(); binding !== undefined; binding = pending.pop()) {
      if (seen.has(binding)) continue
      seen.add(binding)
      for (const unit of declaredBy.get(binding) ?? []) keep(unit)
    }
    for (const unit of units) if (!live.has(unit) && follows(unit, seen)) keep(unit)
  }
  return live
}

/** The units that declare a binding: more than one for a repeated `var`. */
function groupDeclarations(units: readonly Unit[]): Map<Binding, Unit[]> {
  const groups = new Map<Binding, Unit[]>()
  for (const unit of units) {
    for (const binding of [...unit.declares, ...unit.follows])
      groups.set(binding, [...(groups.get(binding) ?? []), unit])
  }
  return groups
}
