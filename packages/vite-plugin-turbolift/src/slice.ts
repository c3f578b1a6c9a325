import type { Node as EstreeNode } from 'estree'

import type { ParsedModule } from './ast.ts'
import type { LiftedFunction } from './lifted-function.ts'
import type { Binding, ScopeTree } from './scope.ts'
import { isKeptByComment, usedBindings } from './units.ts'
import type { Unit } from './units.ts'
import { findWorkerHooks } from './worker-hooks.ts'

/** Which units of a module go where. A unit may be in both, and what nobody needs of the worker's stays out of main. */
export interface Slices {
  readonly worker: ReadonlySet<Unit>
  readonly main: ReadonlySet<Unit>
}

export interface SliceInput {
  readonly module: ParsedModule
  readonly units: readonly Unit[]
  readonly scopes: ScopeTree
  readonly functions: readonly LiftedFunction[]
  /** Exports that the worker needs too, since another of its modules imports them. */
  readonly keptExports: KeptExports | undefined
}

export type KeptExports = ReadonlySet<string> | 'all'

/** Finds what lifted functions need, and what the main program still needs without their bodies. */
export function sliceModule(input: SliceInput): Slices {
  const worker = workerSlice(input)
  return { worker, main: mainSlice(input, worker) }
}

function workerSlice({ module, units, scopes, functions, keptExports }: SliceInput): Set<Unit> {
  const roots = new Set<Binding>()
  for (const { node, topLevelName } of functions) {
    for (const binding of usedBindings(node, scopes)) roots.add(binding)
    const own = topLevelName === undefined ? undefined : scopes.module.bindings.get(topLevelName)
    if (own !== undefined) roots.add(own)
  }
  const hooks = findWorkerHooks(units, scopes)
  const kept = units.filter(
    (unit) =>
      hooks.has(unit) ||
      (unit.kind === 'effect' && isKeptByComment(unit, module)) ||
      (keptExports !== undefined && isKeptExport(unit, keptExports)) ||
      functions.some(({ node }) => unit.node === node),
  )
  return reach(units, { roots, kept, uses: (unit) => unit.uses })
}

function mainSlice({ units, scopes, functions }: SliceInput, worker: ReadonlySet<Unit>): Set<Unit> {
  const bodies: ReadonlySet<EstreeNode> = new Set(functions.map(({ node }) => node))
  const kept = units.filter((unit) => unit.kind === 'export' || isExported(unit) || !worker.has(unit))
  const uses = (unit: Unit): ReadonlySet<Binding> => usedBindings(unit.node, scopes, bodies)
  return reach(units, { roots: new Set(), kept, uses })
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
}

/** All units that the kept ones and the root bindings need, with the effects that follow what they need. */
function reach(units: readonly Unit[], { roots, kept, uses }: Reach): Set<Unit> {
  const declaredBy = new Map(units.flatMap((unit) => unit.declares.map((binding) => [binding, unit] as const)))
  const followers = groupFollowers(units)
  const live = new Set<Unit>()
  const seen = new Set<Binding>()
  const pending = [...roots]
  const keep = (unit: Unit): void => {
    if (live.has(unit)) return
    live.add(unit)
    pending.push(...uses(unit), ...unit.declares)
  }
  for (const unit of kept) keep(unit)
  for (let binding = pending.pop(); binding !== undefined; binding = pending.pop()) {
    if (seen.has(binding)) continue
    seen.add(binding)
    const unit = declaredBy.get(binding)
    if (unit !== undefined) keep(unit)
    for (const follower of followers.get(binding) ?? []) keep(follower)
  }
  return live
}

function groupFollowers(units: readonly Unit[]): Map<Binding, Unit[]> {
  const followers = new Map<Binding, Unit[]>()
  for (const unit of units) {
    for (const binding of unit.follows) followers.set(binding, [...(followers.get(binding) ?? []), unit])
  }
  return followers
}
