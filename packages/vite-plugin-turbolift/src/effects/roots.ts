import type { Node as EstreeNode } from 'estree'

import { isFunction, positioned, toNode, visit } from '../ast.ts'
import type { FunctionNode, Node, NodeOf, Program } from '../ast.ts'
import type { Binding, ScopeTree } from '../scope.ts'
import { changesFirstArgument } from './verbs.ts'

/** What an object may be part of: a binding of the module, a parameter, a global, or `this`. */
export type Root = Binding | GlobalRoot | 'this'
export interface GlobalRoot {
  readonly global: string
}

/** Tells where the objects come from that expressions of one module yield. */
export class Roots {
  readonly #scopes: ScopeTree
  /** What a variable of a loop is taken from: `for (const x of list)`, `list.forEach((x) => …)`. */
  readonly #items: Map<Node, EstreeNode> = new Map()
  readonly #sources: Map<Node, string> = new Map()

  constructor(ast: Program, scopes: ScopeTree) {
    this.#scopes = scopes
    for (const statement of ast.body) {
      if (statement.type !== 'ImportDeclaration') continue
      for (const specifier of statement.specifiers)
        this.#sources.set(positioned(specifier), String(statement.source.value))
    }
    visit(ast, (node) => {
      if ((node.type === 'ForOfStatement' || node.type === 'ForInStatement') && node.left.type.startsWith('Variable')) {
        const [declarator] = node.left.type === 'VariableDeclaration' ? node.left.declarations : []
        if (declarator !== undefined && node.type === 'ForOfStatement')
          this.#items.set(positioned(declarator), node.right)
      }
      if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return
      const [callback] = node.arguments
      const [item] = callback !== undefined && isFunction(callback) ? callback.params : []
      if (item !== undefined) this.#items.set(positioned(item), node.callee.object)
    })
  }

  bindingOf(node: EstreeNode): Binding | undefined {
    return node.type === 'Identifier' ? this.#scopes.bindingOf.get(positioned(node)) : undefined
  }

  /** What an import names: `./client.ts`, `dayjs`. */
  sourceOf({ declaration }: Binding): string | undefined {
    return this.#sources.get(declaration)
  }

  isOfModule({ scope }: Binding): boolean {
    return scope === this.#scopes.module
  }

  /** What a change of what the expression yields would change. */
  of(node: EstreeNode, seen: ReadonlySet<Binding> = new Set()): readonly Root[] {
    switch (node.type) {
      case 'Identifier':
        return this.#ofIdentifier(positioned(node), seen)
      case 'ThisExpression':
        return ['this']
      case 'MemberExpression':
        return this.#ofMember(positioned(node), seen)
      case 'AwaitExpression':
      case 'SpreadElement':
        return this.of(node.argument, seen)
      case 'ChainExpression':
        return this.of(node.expression, seen)
      case 'AssignmentExpression':
        return this.of(node.right, seen)
      case 'SequenceExpression':
        return node.expressions.slice(-1).flatMap((one) => this.of(one, seen))
      case 'ConditionalExpression':
        return [...this.of(node.consequent, seen), ...this.of(node.alternate, seen)]
      case 'LogicalExpression':
        return [...this.of(node.left, seen), ...this.of(node.right, seen)]
      case 'ArrayExpression':
        return node.elements.flatMap((one) => (one === null ? [] : this.of(one, seen)))
      case 'ObjectExpression':
        return node.properties.flatMap((one) =>
          one.type === 'Property' && !isFunction(one.value) ? this.of(one.value, seen) : [],
        )
      case 'CallExpression':
        return this.#ofCall(positioned(node), seen)
      default:
        return []
    }
  }

  /** `held.table` is what the literal has there, and else of `held`. */
  #ofMember({ object, property, computed }: NodeOf<'MemberExpression'>, seen: ReadonlySet<Binding>): readonly Root[] {
    if (object.type === 'Super') return ['this']
    const holders = this.of(object, seen)
    const name = !computed && property.type === 'Identifier' ? property.name : undefined
    const parts = holders.flatMap((holder) => {
      if (!isBinding(holder) || seen.has(holder)) return []
      return partsOf(holder, name).flatMap((part) => this.of(part, new Set([...seen, holder])))
    })
    // What holds a part sees it change anyway.
    return parts.length > 0 ? parts : holders
  }

  #ofIdentifier(node: NodeOf<'Identifier'>, seen: ReadonlySet<Binding>): readonly Root[] {
    const binding = this.bindingOf(node)
    if (binding === undefined) return [{ global: node.name }]
    if (this.isOfModule(binding)) return [binding]
    if (seen.has(binding)) return []
    const from = this.#sourceOf(binding)
    return from === undefined ? [binding] : [binding, ...this.of(from, new Set([...seen, binding]))]
  }

  #sourceOf({ declaration }: Binding): EstreeNode | undefined {
    const item = this.#items.get(declaration)
    if (item !== undefined) return item
    return declaration.type === 'VariableDeclarator' ? (declaration.init ?? undefined) : undefined
  }

  /** `dayjs.extend(x).locale('de')` is about `dayjs`; `Object.freeze(table)` yields the table; what others yield is new. */
  #ofCall({ callee, arguments: values }: NodeOf<'CallExpression'>, seen: ReadonlySet<Binding>): readonly Root[] {
    if (callee.type === 'MemberExpression') {
      const { object, property } = callee
      const isOfGlobal = object.type === 'Identifier' && this.bindingOf(object) === undefined
      if (!isOfGlobal) return this.of(object, seen)
      const isSame = property.type === 'Identifier' && changesFirstArgument(object.name, property.name)
      return isSame && values[0] !== undefined ? this.of(values[0], seen) : []
    }
    const fn = this.functionOf(callee)
    if (fn === undefined) return []
    return returned(fn)
      .flatMap((one) => this.of(one, seen))
      .flatMap((root) => this.#intoCaller(root, fn, values, seen))
  }

  #intoCaller(
    root: Root,
    fn: FunctionNode,
    values: readonly EstreeNode[],
    seen: ReadonlySet<Binding>,
  ): readonly Root[] {
    const value = isBinding(root) ? argumentOf(root, fn, values) : undefined
    return value === undefined ? [root] : this.of(value, seen)
  }

  /** The function of this module that an expression surely is. */
  functionOf(node: EstreeNode): FunctionNode | undefined {
    if (isFunction(node)) return node
    const declaration = this.bindingOf(node)?.declaration
    if (declaration === undefined) return undefined
    if (isFunction(declaration)) return declaration
    const init = declaration.type === 'VariableDeclarator' && declaration.id.type === 'Identifier' && declaration.init
    return init && isFunction(init) ? init : undefined
  }

  /** The class of this module that an expression surely is. */
  classOf(node: EstreeNode): NodeOf<'ClassDeclaration' | 'ClassExpression'> | undefined {
    const declaration = this.bindingOf(node)?.declaration
    if (declaration === undefined) return undefined
    const value = declaration.type === 'VariableDeclarator' ? declaration.init : declaration
    if (value?.type !== 'ClassDeclaration' && value?.type !== 'ClassExpression') return undefined
    return toNode(value) as NodeOf<'ClassDeclaration' | 'ClassExpression'>
  }
}

/** What a variable's literal has by a name; all that it has where that cannot be told. */
function partsOf({ declaration }: Binding, name: string | undefined): EstreeNode[] {
  const init = declaration.type === 'VariableDeclarator' ? declaration.init : undefined
  if (init?.type === 'ArrayExpression') return init.elements.filter((one) => one !== null)
  if (init?.type !== 'ObjectExpression') return []
  const isNamed = (key: EstreeNode): boolean => key.type === 'Identifier' && key.name === name
  const all = init.properties.flatMap((one) => (one.type === 'Property' ? [one] : []))
  const named = all.filter((one) => !one.computed && isNamed(one.key))
  return (named.length > 0 ? named : all).flatMap(({ value }) => (isFunction(value) ? [] : [value]))
}

/** The argument that a parameter gets. */
export function argumentOf(
  { declaration, kind }: Binding,
  { params }: FunctionNode,
  values: readonly EstreeNode[],
): EstreeNode | undefined {
  if (kind !== 'parameter') return undefined
  const index = params.findIndex((param) => param === declaration)
  return index === -1 ? undefined : values[index]
}

function returned(fn: FunctionNode): EstreeNode[] {
  if (fn.body.type !== 'BlockStatement') return [fn.body]
  const found: EstreeNode[] = []
  visit(fn.body, (node) => {
    if (isFunction(node)) return 'skip'
    if (node.type === 'ReturnStatement' && node.argument) found.push(node.argument)
    return
  })
  return found
}

/** Objects that a module's variables share: a change through one is a change of the others. */
export function aliasesOf(roots: Roots, bindings: Iterable<Binding>): (binding: Binding) => ReadonlySet<Binding> {
  const shared = new Map<Binding, Set<Binding>>()
  const join = (from: Binding, to: Binding): void => void shared.set(from, (shared.get(from) ?? new Set()).add(to))
  for (const binding of bindings) {
    const { declaration } = binding
    if (declaration.type !== 'VariableDeclarator' || !declaration.init || !mayShare(declaration.init)) continue
    const isHolder = declaration.init.type === 'ObjectExpression' || declaration.init.type === 'ArrayExpression'
    for (const root of roots.of(declaration.init)) {
      if (!isBinding(root) || !roots.isOfModule(root) || root === binding || isPrimitive(root)) continue
      join(root, binding)
      // To set a field of what holds a function or a library changes neither.
      if (!isHolder || isVariable(root)) join(binding, root)
    }
  }
  return (binding) => {
    const all = new Set([binding])
    for (const one of all) for (const other of shared.get(one) ?? []) all.add(other)
    return all
  }
}

export function isBinding(root: Root): root is Binding {
  return typeof root === 'object' && 'scope' in root
}

function isVariable({ kind }: Binding): boolean {
  return kind === 'const' || kind === 'let' || kind === 'var'
}

/** A constant whose value surely is no object. */
export function isPrimitive({ kind, declaration }: Binding): boolean {
  if (kind !== 'const' || declaration.type !== 'VariableDeclarator' || declaration.id.type !== 'Identifier')
    return false
  return /^(?:Literal|TemplateLiteral|BinaryExpression|UnaryExpression|UpdateExpression)$/.test(
    declaration.init?.type ?? '',
  )
}

/** What a call of a method yields is taken for something new, unless it is called on nothing but the way to it. */
function mayShare(init: EstreeNode): boolean {
  const value = init.type === 'AwaitExpression' ? init.argument : init
  if (value.type !== 'CallExpression') return true
  return value.callee.type !== 'MemberExpression' || /^(?:Object|Reflect)$/.test(nameOfObject(value.callee.object))
}

function nameOfObject(node: EstreeNode): string {
  return node.type === 'Identifier' ? node.name : ''
}
