import type { Node as EstreeNode } from 'estree'

import type { Binding } from '../scope.ts'
import type { Reach } from './effects.ts'
import type { GlobalRoot, Root } from './roots.ts'
import { isPureOfGlobal } from './verbs.ts'

export const GLOBAL_OBJECT: RegExp = /^(?:globalThis|global|self|window)$/

export function reachOfGlobal(object: string, method: string): Reach {
  if (isPureOfGlobal(object, method) || /^(?:Object|Reflect)$/.test(object)) return 'known'
  return object === 'console' || object === 'process' ? 'seen' : 'unsure'
}

/** Relative, or by an alias such as `@/client`. */
export function isOfProject(source: string): boolean {
  return /^(?:[./~#]|@\/)/.test(source)
}

export function isGlobal(root: Root): root is GlobalRoot {
  return typeof root === 'object' && 'global' in root
}

export function withoutAwait(node: EstreeNode): EstreeNode {
  return node.type === 'AwaitExpression' ? node.argument : node
}

/** `new Map()`, `[]`, `{ … }`: what its methods do is known. */
export function isPlainData({ declaration }: Binding): boolean {
  const init = declaration.type === 'VariableDeclarator' ? declaration.init : undefined
  if (init?.type === 'ArrayExpression' || init?.type === 'ObjectExpression') return true
  return (
    init?.type === 'NewExpression' &&
    init.callee.type === 'Identifier' &&
    /^(?:Weak)?(?:Map|Set)$|Array$/.test(init.callee.name)
  )
}

/** An object literal that has something in it, as options have. */
export function isOptions({ declaration }: Binding): boolean {
  const init = declaration.type === 'VariableDeclarator' ? declaration.init : undefined
  return init?.type === 'ObjectExpression' && init.properties.length > 0
}

/** The parts of a pattern that are assigned. */
export function assignedIn(pattern: EstreeNode): EstreeNode[] {
  switch (pattern.type) {
    case 'ObjectPattern':
      return pattern.properties.flatMap((one) => assignedIn(one.type === 'RestElement' ? one : one.value))
    case 'ArrayPattern':
      return pattern.elements.flatMap((one) => (one === null ? [] : assignedIn(one)))
    case 'AssignmentPattern':
      return assignedIn(pattern.left)
    case 'RestElement':
      return assignedIn(pattern.argument)
    case 'ChainExpression':
      return assignedIn(pattern.expression)
    default:
      return [pattern]
  }
}

/** Marks the calls of an expression whose value nobody takes. */
export function discard(node: EstreeNode, discarded: Set<EstreeNode>): void {
  switch (node.type) {
    case 'CallExpression':
    case 'NewExpression':
      discarded.add(node)
      return
    case 'AwaitExpression':
    case 'UnaryExpression':
      return discard(node.argument, discarded)
    case 'ChainExpression':
      return discard(node.expression, discarded)
    case 'LogicalExpression':
      return discard(node.right, discarded)
    case 'ConditionalExpression':
      discard(node.consequent, discarded)
      return discard(node.alternate, discarded)
    case 'SequenceExpression':
      for (const one of node.expressions) discard(one, discarded)
      return
    default:
      return
  }
}
