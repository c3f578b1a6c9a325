import type { Node as EstreeNode } from 'estree'

import { isFunction, positioned, toNode, visit } from './ast.ts'
import type { FunctionNode, Node, ParsedModule } from './ast.ts'
import { keyText } from './names.ts'
import type { ScopeTree } from './scope.ts'

/** What a module exports by name: the nodes that the names stand for, those of other modules left out. */
export function* exportsOf({ ast }: ParsedModule, scopes: ScopeTree): Generator<readonly [name: string, value: Node]> {
  for (const statement of ast.body) {
    if (statement.type === 'ExportDefaultDeclaration') yield ['default', resolve(toNode(statement.declaration), scopes)]
    if (statement.type !== 'ExportNamedDeclaration' || statement.source) continue
    const { declaration } = statement
    if (declaration?.type === 'FunctionDeclaration' || declaration?.type === 'ClassDeclaration') {
      yield [declaration.id.name, positioned(declaration)]
    } else if (declaration?.type === 'VariableDeclaration') {
      for (const { id, init } of declaration.declarations) {
        if (id.type === 'Identifier' && init) yield [id.name, positioned(init)]
      }
    }
    for (const { local, exported } of statement.specifiers) {
      const name = exported.type === 'Identifier' ? exported.name : String(exported.value)
      yield [name, resolve(positioned(local), scopes)]
    }
  }
}

/** The function, class or value that a name at the top level stands for. */
function resolve(node: Node, { module }: ScopeTree): Node {
  const binding = node.type === 'Identifier' ? module.bindings.get(node.name) : undefined
  if (binding === undefined) return node
  const { declaration } = binding
  return declaration.type === 'VariableDeclarator' && declaration.init ? positioned(declaration.init) : declaration
}

interface Unlifted {
  readonly name: string
  readonly fn: FunctionNode
}

/** Async functions that are given to a call, or are a static method or a member of an object: `memo(async () => …)`. */
export function unliftedIn(name: string, exported: Node, lifted: ReadonlySet<EstreeNode>): readonly Unlifted[] {
  const found: Unlifted[] = []
  if (isFunction(exported)) return found
  visit(exported, (node, parents) => {
    if (!isFunction(node)) return
    const parent = parents.at(-1)
    const isOfInstance = parent?.type === 'MethodDefinition' && !parent.static
    if (node.async === true && !isOfInstance && !lifted.has(node)) {
      const key = parent?.type === 'MethodDefinition' || parent?.type === 'Property' ? keyText(parent.key) : undefined
      found.push({ name: key === undefined ? name : `${name}.${key}`, fn: node })
    }
    return 'skip'
  })
  return found
}
