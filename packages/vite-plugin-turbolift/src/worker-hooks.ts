import type { Node as EstreeNode } from 'estree'

import { positioned } from './ast.ts'
import type { Binding, ScopeTree } from './scope.ts'
import type { Unit } from './units.ts'

const HOOKS: ReadonlySet<string> = new Set(['onWorkerStart', 'onWorkerStop'])

/**
 * Statements that register what workers do at their start and end: `onWorkerStart(…)`, by whatever name it is imported
 * from `turbolift`. They are the worker's alone, since nothing of them would ever run in the main program.
 */
export function findWorkerHooks(units: readonly Unit[], scopes: ScopeTree): ReadonlySet<Unit> {
  const imported = new Map(units.flatMap((unit) => importedNames(unit)))
  const hooks = units.filter(({ kind, node }) => {
    if (kind !== 'effect' || node.type !== 'ExpressionStatement' || node.expression.type !== 'CallExpression')
      return false
    const name = nameOfCallee(node.expression.callee, imported, scopes)
    return name !== undefined && HOOKS.has(name)
  })
  return new Set(hooks)
}

/** Names in the runtime by what they are bound to here; `*` for all of it. */
function importedNames({ statement, node, declares }: Unit): (readonly [Binding, string])[] {
  if (statement.type !== 'ImportDeclaration' || statement.source.value !== 'turbolift') return []
  const name =
    node.type === 'ImportNamespaceSpecifier'
      ? '*'
      : node.type === 'ImportSpecifier' && node.imported.type === 'Identifier'
        ? node.imported.name
        : undefined
  return name === undefined ? [] : declares.map((binding) => [binding, name])
}

function nameOfCallee(
  callee: EstreeNode,
  imported: ReadonlyMap<Binding, string>,
  { bindingOf }: ScopeTree,
): string | undefined {
  const root = callee.type === 'MemberExpression' ? callee.object : callee
  const binding = root.type === 'Identifier' ? bindingOf.get(positioned(root)) : undefined
  const name = binding === undefined ? undefined : imported.get(binding)
  if (callee.type !== 'MemberExpression') return name
  return name === '*' && callee.property.type === 'Identifier' ? callee.property.name : undefined
}
