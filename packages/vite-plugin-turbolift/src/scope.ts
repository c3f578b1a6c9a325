import type { Node as EstreeNode } from 'estree'

import { boundIdentifiers, isFunction, positioned, visit } from './ast.ts'
import type { FunctionNode, Node, NodeOf, Program } from './ast.ts'

type Identifier = NodeOf<'Identifier'>

export type BindingKind = 'import' | 'var' | 'let' | 'const' | 'function' | 'class' | 'parameter' | 'catch'

export interface Binding {
  readonly name: string
  readonly kind: BindingKind
  readonly scope: Scope
  /** The identifier that declares it first. */
  readonly declaredAt: Identifier
  /** The declarator, function, class, parameter or import specifier that holds `declaredAt`. */
  readonly declaration: Node
  readonly references: Reference[]
}

export interface Reference {
  readonly node: Identifier
  /** Assigns the binding, other than where it is declared. */
  readonly isWrite: boolean
  /** An enclosing node is the update of a `for`, which writes the next turn's own copy. */
  readonly isLoopUpdate: boolean
  readonly scope: Scope
}

export class Scope {
  readonly node: Node
  readonly parent: Scope | undefined
  readonly bindings: Map<string, Binding> = new Map()

  constructor(node: Node, parent: Scope | undefined) {
    this.node = node
    this.parent = parent
  }

  find(name: string): Binding | undefined {
    return this.bindings.get(name) ?? this.parent?.find(name)
  }

  isInside(range: { readonly start: number; readonly end: number }): boolean {
    return this.node.start >= range.start && this.node.end <= range.end
  }
}

export interface ScopeTree {
  readonly module: Scope
  /** Each identifier that refers to a binding of the module or below it → that binding. */
  readonly bindingOf: ReadonlyMap<Identifier, Binding>
  /** Names that are used but bound nowhere: globals. */
  readonly globals: ReadonlySet<string>
}

/** Finds every binding of a module and what refers to it, by the rules of ECMA-262 for module code (strict mode). */
export function analyzeScopes(ast: Program): ScopeTree {
  const module = new Scope(ast, undefined)
  const scopes = new Map<EstreeNode, Scope>([[ast, module]])
  const references: Reference[] = []
  visit(ast, (node, parents, key) => {
    const isScope = node !== ast && makesScope(node, parents.at(-1))
    if (!isScope && !declaresAround(node) && node.type !== 'Identifier') return
    const outer = innermost(parents, scopes) ?? module
    if (node.type === 'Identifier') {
      if (isReference(node, parents, key)) references.push(toReference(node, parents, outer))
      return
    }
    declareHere(node, outer)
    if (!isScope) return
    const scope = new Scope(node, outer)
    scopes.set(node, scope)
    declareInside(node, scope)
  })
  return { module, ...resolveAll(references) }
}

function makesScope(node: Node, parent: Node | undefined): boolean {
  switch (node.type) {
    case 'BlockStatement':
      // Where no parameter has a default, one scope serves parameters and body: they may not share names but of `var`s.
      return parent === undefined || !isFunction(parent) || hasDefaults(parent)
    case 'ForStatement':
    case 'ForInStatement':
    case 'ForOfStatement':
    case 'SwitchStatement':
    case 'CatchClause':
    case 'ClassDeclaration':
    case 'ClassExpression':
    case 'StaticBlock':
      return true
    default:
      return isFunction(node)
  }
}

/** What a node declares in the scope that it makes. */
function declareInside(node: Node, scope: Scope): void {
  if (isFunction(node)) {
    if (node.type === 'FunctionExpression' && node.id) declare(scope, node.id, { kind: 'function', declaration: node })
    for (const param of node.params) declarePattern(scope, param, 'parameter')
  } else if (node.type === 'CatchClause' && node.param) declarePattern(scope, node.param, 'catch')
  else if ((node.type === 'ClassExpression' || node.type === 'ClassDeclaration') && node.id) {
    declare(scope, node.id, { kind: 'class', declaration: node })
  }
}

function declaresAround({ type }: Node): boolean {
  return type === 'VariableDeclaration' || type.startsWith('Import')
}

/** What a node declares around itself. */
function declareHere(node: Node, scope: Scope): void {
  switch (node.type) {
    case 'VariableDeclaration': {
      const target = node.kind === 'var' ? functionScope(scope) : scope
      const kind = node.kind === 'var' || node.kind === 'let' ? node.kind : 'const'
      for (const declarator of node.declarations) {
        for (const id of boundIdentifiers(declarator.id))
          declare(target, id, { kind, declaration: positioned(declarator) })
      }
      return
    }
    case 'FunctionDeclaration':
      if (node.id) declare(scope, positioned(node.id), { kind: 'function', declaration: node })
      return
    case 'ClassDeclaration':
      if (node.id) declare(scope, positioned(node.id), { kind: 'class', declaration: node })
      return
    case 'ImportSpecifier':
    case 'ImportDefaultSpecifier':
    case 'ImportNamespaceSpecifier':
      declare(scope, positioned(node.local), { kind: 'import', declaration: node })
      return
    default:
      return
  }
}

function declarePattern(scope: Scope, pattern: EstreeNode, kind: BindingKind): void {
  for (const id of boundIdentifiers(pattern)) declare(scope, id, { kind, declaration: positioned(pattern) })
}

function declare(
  scope: Scope,
  id: EstreeNode & { name: string },
  { kind, declaration }: { readonly kind: BindingKind; readonly declaration: Node },
): void {
  // `var a; var a` and a parameter redeclared by `var` are one binding.
  if (scope.bindings.has(id.name)) return
  const declaredAt = positioned(id) as Identifier
  scope.bindings.set(id.name, { name: id.name, kind, scope, declaredAt, declaration, references: [] })
}

/** Where a `var` belongs: the function, or its body when parameters with defaults have a scope of their own. */
function functionScope(scope: Scope): Scope {
  let at = scope
  while (at.parent !== undefined && !isFunction(at.node) && at.node.type !== 'StaticBlock') {
    if (isFunction(at.parent.node) && at.parent.node.body === at.node) return at
    at = at.parent
  }
  return at
}

/** Defaults do not see what the body declares (ECMA-262, FunctionDeclarationInstantiation). */
function hasDefaults({ params }: FunctionNode): boolean {
  return params.some(isOrHoldsDefault)
}

function isOrHoldsDefault(pattern: EstreeNode | null): boolean {
  switch (pattern?.type) {
    case 'AssignmentPattern':
      return true
    case 'ObjectPattern':
      return pattern.properties.some((one) => isOrHoldsDefault(one.type === 'RestElement' ? one : one.value))
    case 'ArrayPattern':
      return pattern.elements.some(isOrHoldsDefault)
    case 'RestElement':
      return isOrHoldsDefault(pattern.argument)
    default:
      return false
  }
}

function innermost(parents: readonly Node[], scopes: ReadonlyMap<EstreeNode, Scope>): Scope | undefined {
  for (let index = parents.length - 1; index >= 0; index -= 1) {
    const parent = parents[index]
    const scope = parent === undefined ? undefined : scopes.get(parent)
    if (scope !== undefined) return scope
  }
  return undefined
}

function toReference(node: Identifier, parents: readonly Node[], scope: Scope): Reference {
  return { node, scope, isLoopUpdate: isInLoopUpdate(node, parents), isWrite: isWrite(node, parents) }
}

/** When all is declared, since a name may be used before. */
function resolveAll(references: readonly Reference[]): Omit<ScopeTree, 'module'> {
  const bindingOf = new Map<Identifier, Binding>()
  const globals = new Set<string>()
  for (const reference of references) {
    const { node, scope } = reference
    const binding = scope.find(node.name)
    if (binding === undefined) globals.add(node.name)
    else {
      bindingOf.set(node, binding)
      if (binding.declaredAt !== node) binding.references.push(reference)
    }
  }
  return { bindingOf, globals }
}

function isReference(node: Identifier, parents: readonly Node[], key: string | undefined): boolean {
  const parent = parents.at(-1)
  if (parent === undefined) return true
  switch (parent.type) {
    case 'MemberExpression':
      return key === 'object' || parent.computed
    case 'Property':
    case 'PropertyDefinition':
    case 'MethodDefinition':
      // In `{ a }` key and value are the same node or equal ones: the value is the reference.
      return key === 'value' || parent.computed
    case 'LabeledStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
    case 'MetaProperty':
      return false
    case 'ImportSpecifier':
    case 'ExportAllDeclaration':
      return false
    case 'ExportSpecifier':
      return key === 'local' && !isReExport(parents.at(-2))
    default:
      return true
  }
}

function isReExport(node: Node | undefined): boolean {
  return node?.type === 'ExportNamedDeclaration' && node.source !== null && node.source !== undefined
}

/** Whether the identifier stands where it is assigned: also inside patterns (`[a, { b: c = 1 }] = …`, `for (a of …)`). */
function isWrite(node: Identifier, parents: readonly Node[]): boolean {
  let child: Node = node
  for (let index = parents.length - 1; index >= 0; index -= 1) {
    const parent = parents[index]
    if (parent === undefined) return false
    if (parent.type === 'UpdateExpression') return true
    if (parent.type === 'AssignmentExpression') return parent.left === child
    if (parent.type === 'ForInStatement' || parent.type === 'ForOfStatement') return parent.left === child
    if (parent.type === 'VariableDeclarator') return parent.id === child && parent.init !== null
    const isPattern =
      (parent.type === 'Property' && parent.value === child) ||
      parent.type === 'ObjectPattern' ||
      parent.type === 'ArrayPattern' ||
      parent.type === 'RestElement' ||
      (parent.type === 'AssignmentPattern' && parent.left === child)
    if (!isPattern) return false
    child = parent
  }
  return false
}

function isInLoopUpdate(node: Identifier, parents: readonly Node[]): boolean {
  let child: Node = node
  for (let index = parents.length - 1; index >= 0; index -= 1) {
    const parent = parents[index]
    if (parent === undefined || isFunction(parent)) return false
    if (parent.type === 'ForStatement' && parent.update === child) return true
    child = parent
  }
  return false
}
