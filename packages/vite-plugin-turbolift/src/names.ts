import type { Node as EstreeNode } from 'estree'

import { isFunction } from './ast.ts'
import type { FunctionNode, Node, NodeOf } from './ast.ts'
import type { Form } from './lifted-function.ts'

export function describeMember(member: NodeOf<'Property' | 'MethodDefinition'>): string {
  if (member.computed) return 'method with a computed name'
  if (member.kind === 'constructor') return 'constructor'
  if (member.kind === 'method') return 'method of a class instance'
  return member.kind === 'init' ? 'private method' : 'getter or setter'
}

export function keyText(key: EstreeNode): string | undefined {
  if (key.type === 'Identifier') return key.name
  return key.type === 'Literal' ? String(key.value) : undefined
}

export function nameOf(node: FunctionNode, parents: readonly Node[], form: Form): string {
  if (form.kind === 'method') return form.key
  if (node.type !== 'ArrowFunctionExpression' && node.id) return node.id.name
  const parent = parents.at(-1)
  if (parent?.type === 'VariableDeclarator' && parent.id.type === 'Identifier') return parent.id.name
  if (parent?.type === 'AssignmentExpression' && parent.left.type === 'Identifier') return parent.left.name
  if ((parent?.type === 'Property' || parent?.type === 'PropertyDefinition') && !parent.computed) {
    return keyText(parent.key) ?? 'anonymous'
  }
  if (parent?.type === 'ExportDefaultDeclaration') return 'default'
  return 'anonymous'
}

/** Names of what stands around a function, outermost first. */
export function enclosingNames(parents: readonly Node[]): string[] {
  return parents.flatMap((parent, index) => {
    const above = parents[index - 1]
    if (isFunction(parent)) {
      const isMethod = above?.type === 'MethodDefinition' || (above?.type === 'Property' && above.method)
      const own = parent.type !== 'ArrowFunctionExpression' && parent.id ? parent.id.name : undefined
      const name = isMethod ? keyText(above.key) : (own ?? variableName(above))
      return [name ?? 'anonymous']
    }
    if (parent.type === 'ClassDeclaration' || parent.type === 'ClassExpression') return [parent.id?.name ?? 'anonymous']
    if (parent.type === 'ObjectExpression') {
      const name = variableName(above) ?? (above?.type === 'Property' ? keyText(above.key) : undefined)
      return name === undefined ? [] : [name]
    }
    return []
  })
}

/** `const f = async () => …`: the declarator, which the function may call itself by. */
export function nestedVariable(node: FunctionNode, parents: readonly Node[]): Node | undefined {
  const parent = parents.at(-1)
  const isConstant = parents.at(-2)?.type === 'VariableDeclaration'
  return isConstant && parent?.type === 'VariableDeclarator' && parent.init === node ? parent : undefined
}

export function variableName(node: Node | undefined): string | undefined {
  return node?.type === 'VariableDeclarator' && node.id.type === 'Identifier' ? node.id.name : undefined
}

export function topLevelName(node: FunctionNode, parents: readonly Node[], form: Form): string | undefined {
  const isTopLevel = parents.every(
    ({ type }) =>
      type === 'Program' ||
      type === 'ExportNamedDeclaration' ||
      type === 'ExportDefaultDeclaration' ||
      type === 'VariableDeclaration' ||
      type === 'VariableDeclarator',
  )
  if (!isTopLevel) return undefined
  if (form.kind === 'declaration') return node.type === 'FunctionDeclaration' && node.id ? node.id.name : undefined
  return variableName(parents.at(-1))
}

/** An arrow function ends a statement without a semicolon, which a call in its place does not before `(` or `[`. */
export function endsStatement(node: FunctionNode, parents: readonly Node[]): boolean {
  return (
    node.type === 'ArrowFunctionExpression' &&
    parents.some(({ type, end }) => end === node.end && /Statement|Declaration$|^PropertyDefinition$/.test(type))
  )
}

/** Compilers of JSX tell React's developer tools the `this` of an element: `jsxDEV(…, this)`, `{ __self: this }`. */
export function isForDevtools(parent: Node | undefined): boolean {
  if (parent?.type === 'Property') return keyText(parent.key) === '__self'
  return (
    parent?.type === 'CallExpression' && parent.callee.type === 'Identifier' && parent.callee.name.endsWith('jsxDEV')
  )
}
