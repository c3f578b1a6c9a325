import type { Node as EstreeNode } from 'estree'

import { isFunction, positioned, toNode, visit } from '../ast.ts'
import type { FunctionNode, Node, NodeOf, ParsedModule } from '../ast.ts'
import type { Binding, ScopeTree } from '../scope.ts'
import { isChance } from './chance.ts'
import { EffectList } from './effects.ts'
import type { Effects } from './effects.ts'
import {
  GLOBAL_OBJECT,
  assignedIn,
  discard,
  isGlobal,
  isOfProject,
  isOptions,
  isPlainData,
  reachOfGlobal,
  withoutAwait,
} from './syntax.ts'
import { Roots, aliasesOf, argumentOf, isBinding, isPrimitive } from './roots.ts'
import type { Root } from './roots.ts'
import { actsAsGlobal, changesFirstArgument, helperSubject, verbOf } from './verbs.ts'

type Call = NodeOf<'CallExpression' | 'NewExpression'>
type Class = NodeOf<'ClassDeclaration' | 'ClassExpression'>

/** Finds what the code of one module does when it runs, through the functions and classes that it has at hand. */
export class EffectWalk {
  readonly roots: Roots
  /** What shares an object with a variable of the module, and so sees it change. */
  readonly aliases: (binding: Binding) => ReadonlySet<Binding>
  readonly #lifted: ReadonlySet<EstreeNode>
  readonly #ofFunction: Map<EstreeNode, Effects> = new Map()
  /** Methods of the module's classes and object literals. */
  readonly #methods: Map<string, FunctionNode[]> = new Map()

  constructor({ ast }: ParsedModule, scopes: ScopeTree, lifted: Iterable<EstreeNode>) {
    this.roots = new Roots(ast, scopes)
    this.aliases = aliasesOf(this.roots, scopes.module.bindings.values())
    this.#lifted = new Set(lifted)
    visit(ast, (node) => {
      if (node.type !== 'MethodDefinition' && node.type !== 'Property' && node.type !== 'PropertyDefinition') return
      if (node.computed || node.key.type !== 'Identifier' || !node.value || !isFunction(node.value)) return
      this.#methods.set(node.key.name, [...(this.#methods.get(node.key.name) ?? []), positioned(node.value)])
    })
  }

  /** What a statement or expression does, without the functions in it that it only makes. */
  of(node: Node): Effects {
    const found = new EffectList()
    this.#walk(node, found, new Set())
    return found
  }

  /** What a function does when it is called. */
  ofFunction(fn: FunctionNode): Effects {
    return this.#summarize(fn)
  }

  #walk(root: Node, found: EffectList, discarded: Set<EstreeNode>): void {
    visit(root, (node) => {
      if (isFunction(node)) return 'skip'
      if (node.type === 'PropertyDefinition' && !node.static) {
        if (node.computed) this.#walk(toNode(node.key), found, discarded)
        return 'skip'
      }
      if (node.type === 'ExpressionStatement') discard(node.expression, discarded)
      this.#enter(node, found, discarded)
      return
    })
  }

  #enter(node: Node, found: EffectList, discarded: Set<EstreeNode>): void {
    if (isChance(node, this.roots)) found.chance ??= node
    switch (node.type) {
      case 'AssignmentExpression':
        return this.#assign(node.left, found)
      case 'UpdateExpression':
        return this.#assign(node.argument, found)
      case 'UnaryExpression':
        if (node.operator === 'delete') this.#assign(node.argument, found)
        return
      case 'ForOfStatement':
      case 'ForInStatement':
        if (node.left.type !== 'VariableDeclaration') this.#assign(node.left, found)
        return
      case 'SequenceExpression':
        for (const one of node.expressions.slice(0, -1)) discard(one, discarded)
        return
      case 'ImportExpression':
        return found.raise('unsure')
      case 'TaggedTemplateExpression':
        return found.raise('unsure')
      case 'CallExpression':
      case 'NewExpression':
        return this.#call(node, found, discarded)
      default:
        return
    }
  }

  #assign(target: EstreeNode, found: EffectList): void {
    for (const one of assignedIn(target)) {
      if (one.type === 'MemberExpression') found.change(this.#changedBy(positioned(one)))
      else {
        const binding = this.roots.bindingOf(one)
        found.assigns.add(binding ?? { global: one.type === 'Identifier' ? one.name : '' })
      }
    }
  }

  /** `globalThis.document = …` makes `document`. */
  #changedBy({ object, property, computed }: NodeOf<'MemberExpression'>): readonly Root[] {
    const roots = object.type === 'Super' ? [] : this.roots.of(object)
    const isGlobalObject =
      object.type === 'Identifier' && roots.some((root) => isGlobal(root) && GLOBAL_OBJECT.test(root.global))
    return isGlobalObject && !computed && property.type === 'Identifier' ? [{ global: property.name }] : roots
  }

  #call(node: Call, found: EffectList, discarded: Set<EstreeNode>): void {
    const callee = toNode(node.callee)
    if (callee.type === 'Super') return
    const fn = this.roots.functionOf(callee)
    if (fn !== undefined) return this.#enterFunction(fn, node.arguments, undefined, found)
    const made = this.roots.classOf(callee)
    if (made !== undefined) return this.#construct(made, node.arguments, found)
    if (callee.type === 'MemberExpression') return this.#callMethod(callee, node, found, discarded)
    if (callee.type === 'ChainExpression') return
    const binding = this.roots.bindingOf(callee)
    if (binding !== undefined || callee.type !== 'Identifier') return this.#callUnknown(node, found, discarded)
    const { name } = callee
    if (helperSubject(name) !== undefined) return this.#callHelper(name, node, found)
    if (actsAsGlobal(name)) found.raise('seen')
    return
  }

  /** A function of the module that is called here. */
  #enterFunction(
    fn: FunctionNode,
    values: readonly EstreeNode[],
    receiver: readonly Root[] | undefined,
    found: EffectList,
  ): void {
    if (this.#lifted.has(fn)) {
      found.callsLifted = true
      return found.raise('seen')
    }
    found.include(this.#summarize(fn), (root) => {
      if (root === 'this') return receiver ?? []
      if (!isBinding(root)) return [root]
      const value = argumentOf(root, fn, values)
      if (value !== undefined) return this.roots.of(value)
      return root.kind === 'parameter' && fn.params.includes(root.declaration as never) ? [] : [root]
    })
  }

  #summarize(fn: FunctionNode): Effects {
    const known = this.#ofFunction.get(fn)
    if (known !== undefined) return known
    const found = new EffectList()
    // A function that calls itself does no more by it.
    this.#ofFunction.set(fn, found)
    const discarded = new Set<EstreeNode>()
    if (fn.body.type !== 'BlockStatement') discard(fn.body, discarded)
    for (const param of fn.params) this.#walk(positioned(param), found, discarded)
    this.#walk(positioned(fn.body), found, discarded)
    return found
  }

  #construct(made: Class, values: readonly EstreeNode[], found: EffectList): void {
    const members = made.body.body
    for (const member of members) {
      if (member.type === 'PropertyDefinition' && !member.static && member.value)
        found.include(this.#fields(positioned(member.value)), (root) => (root === 'this' ? [] : [root]))
      if (member.type === 'MethodDefinition' && member.kind === 'constructor')
        this.#enterFunction(positioned(member.value), values, [], found)
    }
    if (!made.superClass) return
    const parent = this.roots.classOf(made.superClass)
    if (parent === undefined) found.raise('unsure')
    else this.#construct(parent, values, found)
  }

  #fields(value: Node): Effects {
    const found = new EffectList()
    this.#walk(value, found, new Set())
    return found
  }

  #callMethod(callee: NodeOf<'MemberExpression'>, node: Call, found: EffectList, discarded: Set<EstreeNode>): void {
    const name = callee.property.type === 'Identifier' && !callee.computed ? callee.property.name : ''
    const receiver = this.roots.of(callee.object)
    const [global] = receiver.flatMap((root) => (isGlobal(root) ? [root.global] : []))
    if (callee.object.type === 'Identifier' && global !== undefined) {
      if (changesFirstArgument(global, name))
        found.change(node.arguments.slice(0, 1).flatMap((one) => this.roots.of(one)))
      else found.raise(reachOfGlobal(global, name))
      return this.#callbacks(node.arguments, found)
    }
    const own = this.#ownMethods(name, receiver)
    if (own.length > 0) {
      for (const method of own) this.#enterFunction(method, node.arguments, receiver, found)
      return
    }
    this.#callForeign(name, receiver, { node, isDiscarded: discarded.has(node) }, found)
    if (discarded.has(node)) discard(callee.object, discarded)
  }

  /** Methods that the module itself has by that name, where the object may be one that it made. */
  #ownMethods(name: string, receiver: readonly Root[]): readonly FunctionNode[] {
    const methods = this.#methods.get(name) ?? []
    return receiver.some((root) => isBinding(root) && this.#isImported(root)) ? [] : methods
  }

  #isImported({ kind, declaration }: Binding): boolean {
    if (kind === 'import') return true
    if (declaration.type !== 'VariableDeclarator' || !declaration.init) return false
    const made = withoutAwait(declaration.init)
    if (made.type !== 'CallExpression' && made.type !== 'NewExpression') return false
    const callee = made.callee.type === 'MemberExpression' ? made.callee.object : made.callee
    return callee.type !== 'Super' && this.roots.of(callee).some((root) => isBinding(root) && root.kind === 'import')
  }

  /** A method whose code is not at hand: what it does is told by its name, and by whether its result is used. */
  #callForeign(
    name: string,
    receiver: readonly Root[],
    { node, isDiscarded }: { readonly node: Call; readonly isDiscarded: boolean },
    found: EffectList,
  ): void {
    const isData = receiver.length > 0 && receiver.every((root) => isBinding(root) && isPlainData(root))
    const verb = verbOf(name)
    if (verb === 'iterates' || verb === 'reads') return this.#callbacks(node.arguments, found)
    if (verb === 'sets-up') {
      if (isData) found.change(receiver)
      else if (isDiscarded) found.callOn(receiver)
      return this.#callbacks(isData ? node.arguments : [], found)
    }
    if (verb === 'logs') return found.raise('seen')
    if (verb === 'listens') return found.raise('unsure')
    if (verb === 'acts') {
      found.callOn(receiver.filter((root) => isBinding(root) && this.#isOfProject(root)))
      return found.raise('seen')
    }
    if (isDiscarded) found.callOn(receiver)
    if (!isData) found.raise('unsure')
  }

  /** Whether an object was made by code of the project, of which nobody knows what its methods change. */
  #isOfProject(binding: Binding): boolean {
    if (binding.kind === 'import') return isOfProject(this.roots.sourceOf(binding) ?? '')
    const { declaration } = binding
    const init =
      declaration.type === 'VariableDeclarator' && declaration.init ? withoutAwait(declaration.init) : undefined
    if (init?.type !== 'CallExpression' && init?.type !== 'NewExpression') return false
    if (init.callee.type === 'Super') return false
    return this.roots.of(init.callee).some((root) => isBinding(root) && root !== binding && this.#isOfProject(root))
  }

  #callUnknown(node: Call, found: EffectList, discarded: Set<EstreeNode>): void {
    const callee = toNode(node.callee)
    const binding = this.roots.bindingOf(callee)
    const name = binding?.name ?? ''
    if (helperSubject(name) !== undefined) return this.#callHelper(name, node, found)
    const verb = verbOf(name)
    if (verb === 'acts' || verb === 'logs') return found.raise('seen')
    found.raise('unsure')
    if (!discarded.has(node)) return
    if (binding === undefined) return found.change(this.roots.of(callee))
    const subjects = node.arguments.flatMap((one) => this.#subjects(one, verb === 'sets-up'))
    for (const root of subjects) found.touches.add(root)
    if (subjects.length > 0) return
    found.touches.add(binding)
    // `setGlobalDispatcher(…)` is for all that runs in the process.
    if (verb === 'sets-up' && /global|polyfill|shim/i.test(name)) found.change([{ global: name }])
    if (verb !== 'sets-up') found.raise('seen')
  }

  /** What a function may be called for: to change an argument. A filled object of options is none of it. */
  #subjects(value: EstreeNode, isSetUp: boolean): readonly Root[] {
    if (value.type !== 'Identifier' && value.type !== 'MemberExpression') return []
    return this.roots.of(value).filter((root) => {
      if (!isBinding(root) || isPrimitive(root)) return false
      return isSetUp || !isOptions(root)
    })
  }

  #callHelper(name: string, node: Call, found: EffectList): void {
    const subject = node.arguments[helperSubject(name) ?? 0]
    if (subject !== undefined) found.change(this.roots.of(subject))
  }

  /** Functions that a call gets and surely calls. */
  #callbacks(values: readonly EstreeNode[], found: EffectList): void {
    for (const value of values) {
      const fn = this.roots.functionOf(value)
      if (fn !== undefined) this.#enterFunction(fn, [], undefined, found)
    }
  }
}
