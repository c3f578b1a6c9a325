import { parse } from 'acorn'
import { walk } from 'estree-walker'
import type { Node as EstreeNode, Program as EstreeProgram } from 'estree'

/** A node and where it stands: offsets in UTF-16 units of its first character and of the one after it. */
export type Node = EstreeNode & TextRange
export type NodeOf<Type extends EstreeNode['type']> = Extract<EstreeNode, { type: Type }> & TextRange
export type Program = EstreeProgram & TextRange
export type FunctionNode = NodeOf<'FunctionDeclaration' | 'FunctionExpression' | 'ArrowFunctionExpression'>

export interface TextRange {
  readonly start: number
  readonly end: number
}

export interface ParsedModule {
  readonly code: string
  readonly ast: Program
}

/** A plugin context: hosts have a parser in native code, whose trees are the same as acorn's. */
export interface HostParser {
  /** With a `lang` those of Vite 8 and rolldown read TypeScript too. */
  parse?(code: string, options?: { readonly lang: 'ts' | 'tsx' }): object
}

/** @throws SyntaxError with `pos` and `loc`, as acorn makes it */
export function parseModule(code: string, host?: HostParser): ParsedModule {
  // The nodes are ESTree nodes with positions; the types of parsers only describe them less exactly.
  return { code, ast: (parseByHost(code, host) ?? parseByAcorn(code)) as unknown as Program }
}

/** `undefined` for what it cannot read: acorn then says where. */
function parseByHost(code: string, host: HostParser | undefined): object | undefined {
  try {
    return host?.parse?.(code)
  } catch {
    return undefined
  }
}

function parseByAcorn(code: string): object {
  return parse(code, {
    ecmaVersion: 'latest',
    sourceType: 'module',
    allowHashBang: true,
    allowAwaitOutsideFunction: true,
  })
}

/** Visits a tree, parents first. `enter` may return `'skip'` to leave out what is below. */
export function visit(
  root: EstreeNode,
  enter: (node: Node, parents: readonly Node[], key: string | undefined) => void | 'skip',
): void {
  const parents: Node[] = []
  walk(root, {
    enter(node, _, key) {
      if (enter(positioned(node), parents, typeof key === 'string' ? key : undefined) === 'skip') return this.skip()
      parents.push(positioned(node))
    },
    leave(node) {
      if (parents.at(-1) === node) parents.pop()
    },
  })
}

/** Every node that acorn makes has its position. */
export function positioned<Some extends EstreeNode>(node: Some): Some & TextRange {
  return node as Some & TextRange
}

/** For nodes whose types ESTree's declarations keep apart from `Node`: a default export that may have no name. */
export function toNode(node: { readonly type: string }): Node {
  return node as Node
}

export function isFunction(node: EstreeNode): node is FunctionNode {
  return (
    node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression' || node.type === 'ArrowFunctionExpression'
  )
}

/** The identifiers that a pattern binds, in source order. */
export function boundIdentifiers(pattern: EstreeNode): NodeOf<'Identifier'>[] {
  switch (pattern.type) {
    case 'Identifier':
      return [positioned(pattern)]
    case 'ObjectPattern':
      return pattern.properties.flatMap((property) =>
        boundIdentifiers(property.type === 'RestElement' ? property : property.value),
      )
    case 'ArrayPattern':
      return pattern.elements.flatMap((element) => (element === null ? [] : boundIdentifiers(element)))
    case 'AssignmentPattern':
      return boundIdentifiers(pattern.left)
    case 'RestElement':
      return boundIdentifiers(pattern.argument)
    default:
      return []
  }
}

/** `Function.length`: parameters before the first that has a default or is a rest. */
export function parameterCount(params: readonly EstreeNode[]): number {
  const first = params.findIndex((param) => param.type === 'AssignmentPattern' || param.type === 'RestElement')
  return first === -1 ? params.length : first
}
