import { positioned, toNode, visit } from './ast.ts'
import type { FunctionNode, Node, NodeOf } from './ast.ts'
import type { ScopeTree } from './scope.ts'

export interface OwnClass {
  readonly node: NodeOf<'ClassDeclaration' | 'ClassExpression'>
  /** What it is called at the top level; `undefined` when it is inside of something, or called in several ways. */
  readonly name: string | undefined
}

/** The class of a static method that names it, or uses its private members: such a method only works in its class. */
export function findOwnClass(method: FunctionNode, parents: readonly Node[], scopes: ScopeTree): OwnClass | undefined {
  const member = parents.at(-1)
  const node = parents.at(-3)
  if (member?.type !== 'MethodDefinition' || !member.static) return undefined
  if (node?.type !== 'ClassDeclaration' && node?.type !== 'ClassExpression') return undefined
  if (findPrivateName(method) === undefined && !namesClass(method, node, scopes)) return undefined
  return { node, name: nameAtTop(node, parents.slice(0, -3), scopes) }
}

/** `value` of the first `x.#value` or `#value in x`. */
export function findPrivateName(root: Node): NodeOf<'PrivateIdentifier'> | undefined {
  let found: NodeOf<'PrivateIdentifier'> | undefined
  visit(root, (node) => {
    if (node.type === 'PrivateIdentifier') found ??= node
  })
  return found
}

function namesClass(method: FunctionNode, owner: Node, { bindingOf }: ScopeTree): boolean {
  let isNamed = false
  visit(method, (node) => {
    if (node.type === 'Identifier' && bindingOf.get(node)?.declaration === owner) isNamed = true
  })
  return isNamed
}

function nameAtTop(node: OwnClass['node'], parents: readonly Node[], { module }: ScopeTree): string | undefined {
  const isAtTop = parents.every(({ type }) => /^(?:Program|Export|VariableDeclarat)/.test(type))
  const parent = parents.at(-1)
  const id = parent?.type === 'VariableDeclarator' ? parent.id : node.id
  if (!isAtTop || id?.type !== 'Identifier') return undefined
  const binding = module.bindings.get(id.name)
  const holds = binding?.declaration === node || (parent !== undefined && binding?.declaration === parent)
  return holds && binding !== undefined && binding.references.every(({ isWrite }) => !isWrite) ? id.name : undefined
}

/** The first place inside of a class's braces. */
export function startOfClass({ body }: OwnClass['node']): number {
  return positioned(toNode(body)).start + 1
}
