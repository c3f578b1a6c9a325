import type { Node as EstreeNode } from 'estree'

import { isFunction, visit } from './ast.ts'
import type { Node, ParsedModule } from './ast.ts'
import { moduleObjectShared, moduleStateShared, setUpLeftOut } from './diagnostics.ts'
import type { Diagnostic } from './diagnostics.ts'
import type { UnitEffects } from './effects/unit-effects.ts'
import type { Binding, ScopeTree } from './scope.ts'
import type { Mark } from './marks.ts'
import type { Slices } from './slice.ts'
import type { Unit } from './units.ts'

const CHANGING_METHODS = new Set([
  'add',
  'clear',
  'delete',
  'fill',
  'pop',
  'push',
  'set',
  'shift',
  'sort',
  'splice',
  'unshift',
])

/** State of the module that both the worker and the main program have, and that one of them changes later. */
export function findSharedState(module: ParsedModule, scopes: ScopeTree, slices: Slices): Diagnostic[] {
  const inBoth = [...slices.worker].filter((unit) => slices.main.has(unit) && unit.kind === 'declaration')
  const shared = new Set(inBoth.flatMap((unit) => unit.declares))
  if (shared.size === 0) return []
  return findChangedState(module, scopes)
    .filter(({ binding }) => shared.has(binding))
    .map(({ binding: { name, declaredAt }, isAssigned }) =>
      isAssigned ? moduleStateShared(name, declaredAt) : moduleObjectShared(name, declaredAt),
    )
}

/** Variables of the module's top level that functions assign, or whose objects they change. */
export function findChangedState(
  module: ParsedModule,
  scopes: ScopeTree,
): { readonly binding: Binding; readonly isAssigned: boolean }[] {
  const changed = changedInFunctions(module, scopes)
  return [...scopes.module.bindings.values()].flatMap((binding) => {
    const isAssigned = binding.references.some(({ isWrite, scope }) => isWrite && scope !== scopes.module)
    return isAssigned || changed.has(binding) ? [{ binding, isAssigned }] : []
  })
}

/** Statements that stay in the main program, and set up what workers have without it. */
export function findLeftOutSetUp(
  units: readonly Unit[],
  effects: ReadonlyMap<Unit, UnitEffects>,
  { worker }: Slices,
  marks: ReadonlyMap<Node, Mark>,
): Diagnostic[] {
  const inWorker = new Set([...worker].flatMap((unit) => unit.declares))
  const told = new Set<Binding>()
  return units.flatMap((unit) => {
    if (worker.has(unit) || marks.has(unit.statement)) return []
    const { changes = [], touches = [] } = effects.get(unit) ?? {}
    const [first] = [...changes, ...touches].flatMap((group) => [...group].filter((binding) => inWorker.has(binding)))
    // The first statement stands for those after it that do the same.
    if (first === undefined || told.has(first)) return []
    told.add(first)
    return [setUpLeftOut(first.name, unit.statement)]
  })
}

/** Objects of the module's top level that functions change: `cache.set(k, v)`, `totals.x = 1`, `list[0]++`. */
function changedInFunctions(module: ParsedModule, scopes: ScopeTree): Set<Binding> {
  const changed = new Set<Binding>()
  visit(module.ast, (node, parents) => {
    const target = changedObject(node)
    if (target?.type !== 'Identifier' || !parents.some(isFunction)) return
    const binding = scopes.module.bindings.get(target.name)
    if (binding !== undefined && holdsObject(binding) && binding.references.some((one) => one.node === target))
      changed.add(binding)
  })
  return changed
}

function changedObject(node: EstreeNode): EstreeNode | undefined {
  if (node.type === 'AssignmentExpression' && node.left.type === 'MemberExpression') return node.left.object
  if (node.type === 'UpdateExpression' && node.argument.type === 'MemberExpression') return node.argument.object
  if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return undefined
  const { object, property } = node.callee
  return property.type === 'Identifier' && CHANGING_METHODS.has(property.name) ? object : undefined
}

function holdsObject({ declaration }: Binding): boolean {
  const init = declaration.type === 'VariableDeclarator' ? declaration.init : undefined
  return init?.type === 'NewExpression' || init?.type === 'ObjectExpression' || init?.type === 'ArrayExpression'
}
