import { isFunction, visit } from './ast.ts'
import type { FunctionNode, Node, ParsedModule } from './ast.ts'
import { moduleObjectShared, moduleStateShared, setUpLeftOut, valueDiffers } from './state-diagnostics.ts'
import type { Diagnostic } from './diagnostics.ts'
import { isBinding } from './effects/roots.ts'
import type { UnitEffects } from './effects/unit-effects.ts'
import { verbOf } from './effects/verbs.ts'
import { readVariables } from './explain/environment.ts'
import { EffectWalk } from './effects/walk.ts'
import type { Mark } from './marks.ts'
import type { Binding, ScopeTree } from './scope.ts'
import type { Slices } from './slice.ts'
import type { Unit } from './units.ts'

/** State of the module that both the worker and the main program have, and that one of them changes later. */
export function findSharedState(module: ParsedModule, scopes: ScopeTree, slices: Slices): Diagnostic[] {
  const inBoth = [...slices.worker].filter((unit) => slices.main.has(unit) && unit.kind !== 'import')
  const shared = new Set(inBoth.flatMap((unit) => unit.declares))
  if (shared.size === 0) return []
  return findChangedState(module, scopes)
    .filter(({ binding }) => shared.has(binding))
    .map(({ binding: { name, declaredAt }, isAssigned }) =>
      isAssigned ? moduleStateShared(name, declaredAt) : moduleObjectShared(name, declaredAt),
    )
}

/** Variables of the module's top level that functions assign, or whose objects they change, after it has run. */
export function findChangedState(
  module: ParsedModule,
  scopes: ScopeTree,
): { readonly binding: Binding; readonly isAssigned: boolean }[] {
  const walk = new EffectWalk(module, scopes, [])
  const later = findLaterFunctions(module, scopes, walk).map((fn) => walk.ofFunction(fn))
  const assigned = new Set(later.flatMap(({ assigns }) => [...assigns]))
  const changed = new Set(
    later
      .flatMap(({ changes }) => [...changes])
      .filter(isBinding)
      .flatMap((one) => [...walk.aliases(one)]),
  )
  return [...scopes.module.bindings.values()].flatMap((binding) => {
    const isAssigned = assigned.has(binding)
    const isState = isAssigned || (changed.has(binding) && binding.declaration.type === 'VariableDeclarator')
    return isState ? [{ binding, isAssigned }] : []
  })
}

/** Functions that may run when the module has: all but those that are called at its top level and nowhere else. */
function findLaterFunctions({ ast }: ParsedModule, scopes: ScopeTree, { roots }: EffectWalk): FunctionNode[] {
  const callers = new Map<Node, Set<Node | undefined>>()
  const functions: FunctionNode[] = []
  visit(ast, (node, parents) => {
    const parent = parents.at(-1)
    const fn = isFunction(node) || node.type === 'Identifier' ? roots.functionOf(node) : undefined
    if (isFunction(node)) functions.push(node)
    if (fn === undefined || isDeclaration(node, scopes)) return
    const caller = isCalledInPlace(node, parent) ? parents.findLast(isFunction) : node
    callers.set(fn, (callers.get(fn) ?? new Set()).add(caller))
  })
  const early = new Set<Node | undefined>([undefined])
  for (let size = 0; size !== early.size;) {
    size = early.size
    for (const [fn, by] of callers)
      if (!isExportedFunction(fn, ast) && [...by].every((one) => early.has(one))) early.add(fn)
  }
  return functions.filter((fn) => !early.has(fn))
}

/** A name where it is declared, or a function that is bound to one. */
function isDeclaration(node: Node, { bindingOf }: ScopeTree): boolean {
  if (node.type === 'Identifier') return bindingOf.get(node)?.declaredAt === node
  return node.type === 'FunctionDeclaration'
}

/** `f()`, `(() => …)()`, `list.forEach(f)`. */
function isCalledInPlace(node: Node, parent: Node | undefined): boolean {
  if (parent?.type !== 'CallExpression') return false
  if (parent.callee === node) return true
  const { callee } = parent
  return (
    callee.type === 'MemberExpression' &&
    callee.property.type === 'Identifier' &&
    verbOf(callee.property.name) === 'iterates'
  )
}

function isExportedFunction(fn: Node, ast: ParsedModule['ast']): boolean {
  return ast.body.some(
    (statement) =>
      (statement.type === 'ExportNamedDeclaration' || statement.type === 'ExportDefaultDeclaration') &&
      statement.declaration !== null &&
      statement.declaration !== undefined &&
      fn.start >= (statement as Node).start &&
      fn.end <= (statement as Node).end,
  )
}

export interface SetUpInput {
  readonly module: ParsedModule
  readonly units: readonly Unit[]
  readonly effects: ReadonlyMap<Unit, UnitEffects>
  readonly slices: Slices
  readonly marks: ReadonlyMap<Node, Mark>
}

/** Statements that stay in the main program, and set up what workers have without it. */
export function findLeftOutSetUp({ module, units, effects, slices, marks }: SetUpInput): Diagnostic[] {
  const { worker } = slices
  const inWorker = new Set([...worker].flatMap((unit) => unit.declares))
  const variablesOf = ({ node }: Unit): readonly string[] => readVariables(module.code.slice(node.start, node.end))
  const read = new Set([...worker].flatMap(variablesOf))
  const told = new Set<Binding | string>()
  return units.flatMap((unit) => {
    if (worker.has(unit) || marks.has(unit.statement)) return []
    const { changes = [], touches = [], globals = [] } = effects.get(unit) ?? {}
    const [first] = [...changes, ...touches].flatMap((group) => [...group].filter((binding) => inWorker.has(binding)))
    const variable = globals.includes('process') ? variablesOf(unit).find((name) => read.has(name)) : undefined
    const what = first ?? variable
    // The first statement stands for those after it that do the same.
    if (what === undefined || told.has(what)) return []
    told.add(what)
    return [setUpLeftOut(first?.name ?? `process.env.${variable}`, unit.statement)]
  })
}

/** Values that the worker's side makes anew, and cannot make the same. */
export function findDifferingValues({ units, effects, slices, marks }: SetUpInput): Diagnostic[] {
  const { worker } = slices
  return units.flatMap((unit) => {
    if (!worker.has(unit)) return []
    const { chance, changes = [] } = effects.get(unit) ?? {}
    const [name] = [...unit.declares, ...changes.flatMap((group) => [...group])].map((binding) => binding.name)
    const isTold = chance !== undefined && name !== undefined && !marks.has(unit.statement)
    return isTold ? [valueDiffers(name, unit.node)] : []
  })
}
