import type { Node as EstreeNode } from 'estree'

import { isFunction, parameterCount, positioned, toNode, visit } from './ast.ts'
import type { FunctionNode, Node, NodeOf, ParsedModule, TextRange } from './ast.ts'
import { captureNotSendable, captureReassigned, usesArguments, usesSuper, usesThis } from './diagnostics.ts'
import * as problems from './diagnostics.ts'
import type { Diagnostic } from './diagnostics.ts'
import { parseDirective } from './directive.ts'
import type { Directive } from './directive.ts'
import type { Form, LiftedFunction } from './lifted-function.ts'
import { describeMember, enclosingNames, keyText, nameOf, nestedVariable, topLevelName } from './names.ts'
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
  const exported =
    options.isLiftModule || moduleDirective !== undefined ? scan.exportedFunctions() : new Map<FunctionNode, string>()
  scan.findAll(exported, moduleDirective)
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
    for (const statement of this.#module.ast.body) {
      for (const [name, node] of this.#exportsOf(positioned(statement))) {
        if (!isFunction(node)) continue
        if (node.async === true) found.set(node, name)
        else this.#report(problems.exportNotAsync(name, { start: node.start, end: node.end }))
      }
    }
    return found
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
    const all = this.#capturesOf(node, own)
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
      topLevelName: topLevelName(node, parents, form),
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
    return { kind: 'expression' }
  }

  #methodForm(member: NodeOf<'Property' | 'MethodDefinition'>, isPossible: boolean): Form | undefined {
    const key = member.computed ? undefined : keyText(member.key)
    if (isPossible && key !== undefined) return { kind: 'method', member, key }
    this.#report(problems.methodNotLiftable(describeMember(member), member))
    return undefined
  }

  #capturesOf(node: FunctionNode, own: Node | undefined): Binding[] {
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
      if (binding.declaration === node) continue
      captures.add(binding)
      if (binding.declaration !== own) this.#checkCapture(binding, inner)
    }
    return [...captures]
  }

  #checkCapture(binding: Binding, at: TextRange): void {
    const kind = codeKind(binding)
    if (kind !== undefined) this.#report(captureNotSendable(binding.name, kind, at))
    const write = binding.references.find(({ isWrite, isLoopUpdate }) => isWrite && !isLoopUpdate)
    if (write !== undefined) this.#report(captureReassigned(binding.name, write.node))
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

  *#exportsOf(statement: Node): Generator<readonly [name: string, value: Node]> {
    if (statement.type === 'ExportDefaultDeclaration') {
      yield ['default', this.#resolve(toNode(statement.declaration))]
      return
    }
    if (statement.type !== 'ExportNamedDeclaration' || statement.source) return
    if (statement.declaration?.type === 'FunctionDeclaration') {
      yield [statement.declaration.id.name, positioned(statement.declaration)]
    } else if (statement.declaration?.type === 'VariableDeclaration') {
      for (const { id, init } of statement.declaration.declarations) {
        if (id.type === 'Identifier' && init) yield [id.name, positioned(init)]
      }
    }
    for (const { local, exported } of statement.specifiers) {
      yield [exported.type === 'Identifier' ? exported.name : String(exported.value), this.#resolve(positioned(local))]
    }
  }

  /** The function that a name at the top level stands for. */
  #resolve(node: Node): Node {
    const binding = node.type === 'Identifier' ? this.#options.scopes.module.bindings.get(node.name) : undefined
    if (binding === undefined) return node
    const { declaration } = binding
    return declaration.type === 'VariableDeclarator' && declaration.init ? positioned(declaration.init) : declaration
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

/** Compilers of JSX tell React's developer tools the `this` of an element: `jsxDEV(…, this)`, `{ __self: this }`. */
function isForDevtools(parent: Node | undefined): boolean {
  if (parent?.type === 'Property') return keyText(parent.key) === '__self'
  return (
    parent?.type === 'CallExpression' && parent.callee.type === 'Identifier' && parent.callee.name.endsWith('jsxDEV')
  )
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
