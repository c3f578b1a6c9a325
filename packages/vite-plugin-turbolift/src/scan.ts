import type { Node as EstreeNode } from 'estree'

import { isFunction, parameterCount, positioned, visit } from './ast.ts'
import type { FunctionNode, Node, NodeOf, ParsedModule, TextRange } from './ast.ts'
import { captureNotSendable, captureReassigned, usesArguments, usesSuper, usesThis } from './diagnostics.ts'
import * as problems from './diagnostics.ts'
import type { Diagnostic } from './diagnostics.ts'
import { parseDirective } from './directive.ts'
import type { Directive } from './directive.ts'
import { exportsOf, unliftedIn } from './exports.ts'
import type { Form, LiftedFunction } from './lifted-function.ts'
import { findOwnClass, findPrivateName } from './own-class.ts'
import type { OwnClass } from './own-class.ts'
import {
  describeMember,
  enclosingNames,
  endsStatement,
  isForDevtools,
  keyText,
  nameOf,
  nestedVariable,
  topLevelName,
} from './names.ts'
import type { Binding, ScopeTree } from './scope.ts'

export interface ScanResult {
  readonly functions: readonly LiftedFunction[]
  /** Every `'use lift'` directive, with what separates it from the next statement. */
  readonly directives: readonly TextRange[]
  readonly diagnostics: readonly Diagnostic[]
}

export interface ScanOptions {
  /** The module is named `*.lift.ts`: as if it began with the directive. */
  readonly isLiftModule: boolean
  readonly scopes: ScopeTree
  /** Names of the configured pools. */
  readonly pools: readonly string[]
}

/** Finds the lifted functions of a module and all that is wrong with them. */
export function scanModule(module: ParsedModule, options: ScanOptions): ScanResult {
  const scan = new Scan(module, options)
  const moduleDirective = scan.readDirectives(module.ast, module.ast.body)
  const isLifted = options.isLiftModule || moduleDirective !== undefined
  scan.findAll(isLifted ? scan.exportedFunctions() : new Map<FunctionNode, string>(), moduleDirective)
  if (isLifted) scan.tellUnlifted()
  scan.tellCommonJs()
  return scan.result()
}

class Scan {
  readonly #module: ParsedModule
  readonly #options: ScanOptions
  readonly #functions: LiftedFunction[] = []
  readonly #directives: TextRange[] = []
  readonly #diagnostics: Diagnostic[] = []
  readonly #paths: Set<string> = new Set()

  constructor(module: ParsedModule, options: ScanOptions) {
    this.#module = module
    this.#options = options
  }

  result(): ScanResult {
    return { functions: this.#functions, directives: this.#directives, diagnostics: this.#diagnostics }
  }

  /** The directive at the start of a body, whose range is noted. */
  readDirectives(owner: Node, body: readonly EstreeNode[]): Directive | undefined {
    let found: Directive | undefined
    for (const statement of body.map(positioned)) {
      if (statement.type !== 'ExpressionStatement' || !('directive' in statement)) break
      const directive = parseDirective(String(statement.directive))
      if (directive === undefined) continue
      if (directive.kind === 'misspelt') this.#report(problems.directiveMisspelt(directive.text, statement))
      else if (found !== undefined) this.#report(problems.directiveRepeated(statement))
      else found = this.#withKnownPool(directive, statement)
      if (directive.kind === 'lift') this.#directives.push({ start: statement.start, end: statement.end })
    }
    this.#findMisplaced(owner, body)
    return found
  }

  /** Functions that the module exports, by their node → the exported name. */
  exportedFunctions(): Map<FunctionNode, string> {
    const found = new Map<FunctionNode, string>()
    for (const [name, node] of exportsOf(this.#module, this.#options.scopes)) {
      if (!isFunction(node)) continue
      if (node.async === true) found.set(node, name)
      else this.#report(problems.exportNotAsync(name, { start: node.start, end: node.end }))
    }
    return found
  }

  /** Tells of functions in what a lifted module exports that are not lifted by that. */
  tellUnlifted(): void {
    const lifted = new Set<EstreeNode>(this.#functions.map(({ node }) => node))
    for (const [exported, node] of exportsOf(this.#module, this.#options.scopes)) {
      for (const { name, fn } of unliftedIn(exported, node, lifted)) this.#report(problems.exportNotLifted(name, fn))
    }
  }

  /** Tells of a module that can import nothing, and is no other module by being empty. */
  tellCommonJs(): void {
    const [first] = this.#functions
    const { ast } = this.#module
    const isModule = ast.body.some(({ type }) => /^(?:Import|Export)/.test(type))
    const isCommonJs = ['module', 'exports', 'require'].some((name) => this.#options.scopes.globals.has(name))
    if (first !== undefined && !isModule && isCommonJs) this.#report(problems.commonJsNotLiftable(first.node))
  }

  findAll(exported: ReadonlyMap<FunctionNode, string>, moduleDirective: Directive | undefined): void {
    visit(this.#module.ast, (node, parents) => {
      if (node.type === 'BlockStatement' && !isFunctionBody(node, parents.at(-1))) this.#findMisplaced(node, node.body)
      if (!isFunction(node)) return
      const own =
        node.body.type === 'BlockStatement' ? this.readDirectives(positioned(node.body), node.body.body) : undefined
      if (own === undefined && !exported.has(node)) return
      this.#add(node, parents, own ?? moduleDirective)
      this.#cleanInside(node)
      return 'skip'
    })
  }

  #add(node: FunctionNode, parents: readonly Node[], directive: Directive | undefined): void {
    const form = this.#formOf(node, parents)
    if (form === undefined) return
    const name = nameOf(node, parents, form)
    if (node.async !== true) this.#report(problems.functionNotAsync(name, node, node.generator === true))
    const own = nestedVariable(node, parents)
    const ownClass = this.#ownClassOf(node, parents)
    const all = this.#capturesOf(node, { own, ownClass: ownClass?.name === undefined ? undefined : ownClass.node })
    const captures = all.filter(({ declaration }) => declaration !== own)
    this.#checkOwnScope(node)
    this.#functions.push({
      path: this.#uniquePath([...enclosingNames(parents), name].join('.')),
      name,
      length: parameterCount(node.params),
      pool: directive?.pool,
      kind: node.generator === true ? 'stream' : 'call',
      node,
      form,
      topLevelName: this.#constantName(topLevelName(node, parents, form)),
      ownClass: ownClass?.name,
      ownVariable: all.find(({ declaration }) => declaration === own)?.name,
      captures,
    })
  }

  /** A lifted function inside a lifted one is called directly in its worker: only its directive goes. */
  #cleanInside(outer: FunctionNode): void {
    visit(outer.body, (node) => {
      if (isFunction(node) && node.body.type === 'BlockStatement') {
        this.readDirectives(positioned(node.body), node.body.body)
      }
    })
  }

  #formOf(node: FunctionNode, parents: readonly Node[]): Form | undefined {
    const parent = parents.at(-1)
    if (node.type === 'FunctionDeclaration') {
      const exported =
        parent?.type === 'ExportNamedDeclaration'
          ? 'named'
          : parent?.type === 'ExportDefaultDeclaration'
            ? 'default'
            : 'no'
      return { kind: 'declaration', exported }
    }
    if (parent?.type === 'MethodDefinition') return this.#methodForm(parent, parent.static && parent.kind === 'method')
    if (parent?.type === 'Property' && (parent.method || parent.kind !== 'init')) {
      return this.#methodForm(parent, parent.kind === 'init')
    }
    return { kind: 'expression', endsStatement: endsStatement(node, parents) }
  }

  #methodForm(member: NodeOf<'Property' | 'MethodDefinition'>, isPossible: boolean): Form | undefined {
    const key = member.computed ? undefined : keyText(member.key)
    if (isPossible && key !== undefined) return { kind: 'method', member, key }
    this.#report(problems.methodNotLiftable(describeMember(member), member))
    return undefined
  }

  #capturesOf(node: FunctionNode, { own, ownClass }: Owners): Binding[] {
    const identifiers: NodeOf<'Identifier'>[] = []
    visit(node, (inner) => {
      if (inner.type === 'Identifier') identifiers.push(inner)
    })
    const captures = new Set<Binding>()
    // Parsers differ in the order of a node's keys; captures are in that of the source.
    for (const inner of identifiers.toSorted((a, b) => a.start - b.start)) {
      const binding = this.#options.scopes.bindingOf.get(inner)
      if (binding === undefined || captures.has(binding)) continue
      if (binding.scope === this.#options.scopes.module || binding.scope.isInside(node)) continue
      // A function's own name is bound around it, and refers to the function in the worker.
      if (binding.declaration === ownClass) continue
      if (binding.declaration !== node) captures.add(binding)
      this.#checkCapture(binding, inner, binding.declaration === own || binding.declaration === node)
    }
    return [...captures]
  }

  #checkCapture(binding: Binding, at: TextRange, isOwnName: boolean): void {
    const kind = isOwnName ? undefined : codeKind(binding)
    if (kind !== undefined) this.#report(captureNotSendable(binding.name, kind, at))
    const write = binding.references.find(({ isWrite, isLoopUpdate }) => isWrite && !isLoopUpdate)
    if (write !== undefined) this.#report(captureReassigned(binding.name, write.node))
  }

  #ownClassOf(node: FunctionNode, parents: readonly Node[]): OwnClass | undefined {
    const own = findOwnClass(node, parents, this.#options.scopes)
    const member = own !== undefined && own.name === undefined ? findPrivateName(node) : undefined
    if (member !== undefined) this.#report(problems.privateNotReachable(member.name, member))
    return own
  }

  /** A name at the top level, if it always stands for what is declared by it. */
  #constantName(name: string | undefined): string | undefined {
    const binding = name === undefined ? undefined : this.#options.scopes.module.bindings.get(name)
    return binding?.references.some(({ isWrite }) => isWrite) ? undefined : name
  }

  /** `this`, `arguments`, `super` and `new.target` of the lifted function itself. */
  #checkOwnScope(root: FunctionNode): void {
    visit(root, (node, parents, key) => {
      if (node !== root && isFunction(node) && node.type !== 'ArrowFunctionExpression') return 'skip'
      if (node.type === 'PropertyDefinition' || node.type === 'StaticBlock') return 'skip'
      if (node.type === 'ThisExpression' && !isForDevtools(parents.at(-1))) this.#report(usesThis('this', node))
      if (node.type === 'MetaProperty' && node.meta.name === 'new') this.#report(usesThis('new.target', node))
      if (node.type === 'Super') this.#report(usesSuper(node))
      if (node.type === 'Identifier' && node.name === 'arguments' && key !== 'key' && key !== 'property') {
        if (!this.#options.scopes.bindingOf.has(node)) this.#report(usesArguments(node))
      }
      return undefined
    })
  }

  /** `'use lift'` that is a statement but no directive. */
  #findMisplaced(owner: Node, body: readonly EstreeNode[]): void {
    for (const statement of body.map(positioned)) {
      if (statement.type !== 'ExpressionStatement') continue
      const isDirective = 'directive' in statement && (owner.type === 'Program' || owner.type === 'BlockStatement')
      const { expression } = statement
      if (isDirective || expression.type !== 'Literal' || typeof expression.value !== 'string') continue
      if (parseDirective(expression.value)?.kind === 'lift') this.#report(problems.directiveMisplaced(statement))
    }
  }

  #withKnownPool(directive: Directive, at: TextRange): Directive {
    const { pool } = directive
    if (pool !== undefined && pool !== 'default' && !this.#options.pools.includes(pool)) {
      this.#report(problems.poolUnknown(pool, this.#options.pools, at))
    }
    return directive
  }

  #uniquePath(path: string): string {
    let unique = path
    for (let count = 2; this.#paths.has(unique); count += 1) unique = `${path}~${count}`
    this.#paths.add(unique)
    return unique
  }

  #report(diagnostic: Diagnostic): void {
    const isKnown = this.#diagnostics.some(
      ({ code, at }) => code === diagnostic.code && at.start === diagnostic.at.start,
    )
    if (!isKnown) this.#diagnostics.push(diagnostic)
  }
}

/** What a function may name though it stands around it, since the worker has that too. */
interface Owners {
  /** The variable that the function is assigned to. */
  readonly own: Node | undefined
  readonly ownClass: Node | undefined
}

function isFunctionBody(node: Node, parent: Node | undefined): boolean {
  return parent !== undefined && isFunction(parent) && parent.body === node
}

/** What a binding holds when it is code, which cannot travel. */
function codeKind({ kind, declaration }: Binding): string | undefined {
  if (kind === 'function') return 'function'
  if (kind === 'class') return 'class'
  if (declaration.type !== 'VariableDeclarator' || declaration.id.type !== 'Identifier' || !declaration.init)
    return undefined
  if (declaration.init.type === 'ClassExpression') return 'class'
  return isFunction(declaration.init) ? 'function' : undefined
}
