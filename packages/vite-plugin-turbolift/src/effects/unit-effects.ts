import type { Node as EstreeNode } from 'estree'

import type { ParsedModule } from '../ast.ts'
import type { LiftedFunction } from '../lifted-function.ts'
import type { Binding, ScopeTree } from '../scope.ts'
import type { Unit } from '../units.ts'
import type { Effects, Reach } from './effects.ts'
import { isBinding } from './roots.ts'
import type { Root } from './roots.ts'
import { EffectWalk } from './walk.ts'

/** What a unit does to others when it runs. */
export interface UnitEffects {
  /** Each thing that it sets up, by all the bindings through which that is seen. */
  readonly changes: readonly ReadonlySet<Binding>[]
  /** Those of it that its own code changes, not a method of theirs. */
  readonly writes: readonly ReadonlySet<Binding>[]
  /** The same for what calls of code that is not at hand may change. */
  readonly touches: readonly ReadonlySet<Binding>[]
  /** Globals that it makes or changes. */
  readonly globals: readonly string[]
  readonly reach: Reach
  /** It calls lifted functions, uses what such calls gave, or runs after them. */
  readonly needsCalls: boolean
  readonly chance: EstreeNode | undefined
}

export interface EffectsInput {
  readonly module: ParsedModule
  readonly units: readonly Unit[]
  readonly scopes: ScopeTree
  readonly functions: readonly LiftedFunction[]
}

/** Finds what each statement of a module's top level does to the rest of it. */
export function findUnitEffects(input: EffectsInput): ReadonlyMap<Unit, UnitEffects> {
  const { module, units, scopes, functions } = input
  const walk = new EffectWalk(
    module,
    scopes,
    functions.map(({ node }) => node),
  )
  const bindings = [...scopes.module.bindings.values()]
  const siblings = groupImports(walk, bindings)
  const givenByCalls = new Set<Binding>()
  let isAfterCalls = false
  return new Map(
    units.map((unit) => {
      const effects = walk.of(unit.node)
      const usesResults = [...unit.uses].some((one) => givenByCalls.has(one))
      // What happens after a call is no set-up for it, and workers are set up once.
      const needsCalls = effects.callsLifted || (isRun(unit) && usesResults) || (unit.kind === 'effect' && isAfterCalls)
      isAfterCalls ||= effects.callsLifted
      const isOther = (root: Root): root is Binding =>
        isBinding(root) && walk.roots.isOfModule(root) && !unit.declares.includes(root)
      const changed = [...new Set([...effects.assigns, ...effects.changes, ...effects.calls])].filter(isOther)
      const touched = [...effects.touches].filter(isOther)
      if (needsCalls) for (const one of [...unit.declares, ...changed, ...touched]) givenByCalls.add(one)
      const seen = (binding: Binding) => seenThrough(binding, effects, { aliases: walk.aliases, siblings })
      const writes = changed.filter((one) => effects.assigns.has(one) || effects.changes.has(one)).map(seen)
      const groups = { changes: changed.map(seen), writes, touches: touched.map(seen) }
      return [unit, { ...toUnitEffects(effects), ...groups, needsCalls }]
    }),
  )
}

function toUnitEffects({
  changes,
  assigns,
  reach,
  chance,
}: Effects): Omit<UnitEffects, 'changes' | 'writes' | 'touches' | 'needsCalls'> {
  const globals = [...changes, ...assigns].flatMap((root) => (isGlobal(root) ? [root.global] : []))
  return { globals: [...new Set(globals)], reach, chance }
}

function isGlobal(root: Root): root is Exclude<Root, Binding | 'this'> {
  return typeof root === 'object' && 'global' in root
}

/** A function or class does not run where it stands. */
function isRun({ node, kind }: Unit): boolean {
  return kind === 'effect' || node.type === 'VariableDeclarator'
}

interface Seen {
  readonly aliases: (binding: Binding) => ReadonlySet<Binding>
  readonly siblings: ReadonlyMap<Binding, readonly Binding[]>
}

/** What is assigned is seen by its name alone; an object by all that holds it; a library by all that is imported of it. */
function seenThrough(
  binding: Binding,
  { assigns, changes, calls, touches }: Effects,
  { aliases, siblings }: Seen,
): ReadonlySet<Binding> {
  const isObject = changes.has(binding) || calls.has(binding) || touches.has(binding)
  if (assigns.has(binding) && !isObject) return new Set([binding])
  return new Set([...aliases(binding)].flatMap((one) => [one, ...(siblings.get(one) ?? [])]))
}

/** Imports of one module or package. */
function groupImports({ roots }: EffectWalk, bindings: readonly Binding[]): ReadonlyMap<Binding, readonly Binding[]> {
  const bySource = new Map<string, Binding[]>()
  for (const binding of bindings) {
    const source = roots.sourceOf(binding)
    if (source === undefined) continue
    const key = packageOf(source)
    bySource.set(key, [...(bySource.get(key) ?? []), binding])
  }
  return new Map([...bySource.values()].flatMap((group) => group.map((binding) => [binding, group] as const)))
}

function packageOf(source: string): string {
  return /^(?:@[^/]+\/[^/]+|[^./~#@][^/]*)/.exec(source)?.[0] ?? source
}
