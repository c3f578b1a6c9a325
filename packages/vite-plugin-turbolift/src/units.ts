import type { Node as EstreeNode, SimpleCallExpression } from 'estree'

import { boundIdentifiers, isFunction, positioned, toNode, visit } from './ast.ts'
import type { Node, NodeOf, ParsedModule } from './ast.ts'
import type { Binding, ScopeTree } from './scope.ts'

/** The smallest part of a module's top level that a slice keeps or leaves out. */
export interface Unit {
  readonly node: Node
  /** The statement that holds it: itself, or a list of declarators or specifiers. */
  readonly statement: Node
  readonly kind: 'import' | 'declaration' | 'effect' | 'export'
  readonly declares: readonly Binding[]
  /** Bindings of the module that it refers to, from anywhere inside. */
  readonly uses: ReadonlySet<Binding>
  /**
   * Bindings with which an effect goes: it sets them up (`table.set(…)`, `dayjs.extend(x)`, `Foo.x = 1`), or assigns them.
   * A declaration follows an earlier one of the same `var`. Empty for effects that stand for themselves (`startServer()`).
   */
  readonly follows: ReadonlySet<Binding>
  /** Objects that an effect changes among other things, for which it does not go along. */
  readonly alsoChanges: ReadonlySet<Binding>
}

const NONE: ReadonlySet<Binding> = new Set()

/** A comment above an effect that takes it along into every slice of its module. */
const KEEP_COMMENT = '@turbolift-keep'

/** Divides the top level of a module. */
export function divideModule(module: ParsedModule, scopes: ScopeTree): Unit[] {
  return module.ast.body.map(positioned).flatMap((statement) => divideStatement(statement, { module, scopes }))
}

/** Whether a comment asks for an effect to be part of the worker's slice. */
export function isKeptByComment({ statement }: Unit, { ast, code }: ParsedModule): boolean {
  if (!code.includes(KEEP_COMMENT)) return false
  // Between two statements is nothing but comments.
  const before = ast.body.map(positioned).findLast(({ end }) => end <= statement.start)
  return code.slice(before?.end ?? 0, statement.start).includes(KEEP_COMMENT)
}

/** The bindings of the module that a part of it refers to, other than in the parts left out. */
export function usedBindings(
  root: EstreeNode,
  scopes: ScopeTree,
  leftOut: ReadonlySet<EstreeNode> = new Set(),
): Set<Binding> {
  const used = new Set<Binding>()
  visit(root, (node) => {
    if (leftOut.has(node)) return 'skip'
    if (node.type !== 'Identifier') return
    const binding = scopes.bindingOf.get(node)
    if (binding !== undefined && binding.scope === scopes.module) used.add(binding)
    return
  })
  return used
}

interface Context {
  readonly module: ParsedModule
  readonly scopes: ScopeTree
}

function divideStatement(statement: Node, context: Context): Unit[] {
  switch (statement.type) {
    case 'ImportDeclaration':
      if (statement.specifiers.length === 0) return [effect(statement, context)]
      return statement.specifiers.map((specifier) =>
        declaration(positioned(specifier), { statement, kind: 'import' }, context),
      )
    case 'VariableDeclaration':
      return declarators(statement, statement, context)
    case 'FunctionDeclaration':
    case 'ClassDeclaration':
      return [declaration(statement, { statement, kind: 'declaration' }, context)]
    case 'ExportNamedDeclaration':
      if (statement.declaration?.type === 'VariableDeclaration') {
        return declarators(positioned(statement.declaration), statement, context)
      }
      if (statement.declaration) {
        return [declaration(positioned(statement.declaration), { statement, kind: 'declaration' }, context)]
      }
      return [exporting(statement, context)]
    case 'ExportDefaultDeclaration':
      return [declaration(toNode(statement.declaration), { statement, kind: 'declaration' }, context)]
    case 'ExportAllDeclaration':
      return [exporting(statement, context)]
    default:
      return [effect(statement, context)]
  }
}

function declarators(list: NodeOf<'VariableDeclaration'>, statement: Node, context: Context): Unit[] {
  return list.declarations.map((one) => declaration(positioned(one), { statement, kind: 'declaration' }, context))
}

function declaration(
  node: Node,
  { statement, kind }: { readonly statement: Node; readonly kind: 'import' | 'declaration' },
  { scopes }: Context,
): Unit {
  const declares = [...scopes.module.bindings.values()].filter(
    (binding) => binding.declaration === node && binding.scope === scopes.module,
  )
  return {
    node,
    statement,
    kind,
    declares,
    uses: usedBindings(node, scopes),
    follows: declaredBefore(node, scopes),
    alsoChanges: NONE,
  }
}

/** `var a = 1; var a = 2`: the second goes with the first. TypeScript makes such of an enum in two parts. */
function declaredBefore(node: Node, scopes: ScopeTree): Set<Binding> {
  const names = node.type === 'VariableDeclarator' ? boundIdentifiers(node.id).map(({ name }) => name) : []
  const bindings = names.flatMap((name) => scopes.module.bindings.get(name) ?? [])
  return new Set(bindings.filter((binding) => binding.declaration !== node))
}

function exporting(statement: Node, { scopes }: Context): Unit {
  return {
    node: statement,
    statement,
    kind: 'export',
    declares: [],
    uses: usedBindings(statement, scopes),
    follows: NONE,
    alsoChanges: NONE,
  }
}

function effect(statement: Node, { scopes }: Context): Unit {
  const uses = usedBindings(statement, scopes)
  const { changed, isSetUpOnly } = changedAtOnce(statement, scopes)
  const follows = new Set([...assignedAtOnce(statement, scopes), ...(isSetUpOnly ? changed : NONE)])
  const alsoChanges = isSetUpOnly ? NONE : changed
  return { node: statement, statement, kind: 'effect', declares: [], uses, follows, alsoChanges }
}

/**
 * Objects of the module that the statement sets up: `table.set(…)`, and loops, branches and functions called at once
 * that do nothing else, such as `for (let n = 0; n < 256; n++) table[n] = n * n`. One that also does something for the
 * program, such as `if (isMain) { config.port = 1; startServer() }`, is the program's.
 */
function changedAtOnce(statement: Node, scopes: ScopeTree): { changed: Set<Binding>; isSetUpOnly: boolean } {
  const changed = new Set<Binding>()
  let isSetUpOnly = true
  visit(statement, (node) => {
    if (isFunction(node) && !(node.async !== true && isCalledAtOnce(node, statement))) return 'skip'
    if (node.type !== 'ExpressionStatement' || (node === statement && callsFunctionAtOnce(statement))) return
    const root = rootOf(node.expression)
    const binding = root?.type === 'Identifier' ? scopes.bindingOf.get(positioned(root)) : undefined
    if (binding === undefined) isSetUpOnly &&= /^(?:Assignment|Update)Expression$/.test(node.expression.type)
    else if (binding.scope === scopes.module) changed.add(binding)
    return
  })
  return { changed, isSetUpOnly }
}

function callsFunctionAtOnce(statement: Node): boolean {
  if (statement.type !== 'ExpressionStatement') return false
  const { expression } = statement
  return expression.type === 'CallExpression' && isFunction(toNode(expression.callee))
}

/** Bindings that the statement itself assigns, not functions in it, such as `if (x) mode = 'a'; else mode = 'b'`. */
function assignedAtOnce(statement: Node, scopes: ScopeTree): Set<Binding> {
  const found = new Set<Binding>()
  visit(statement, (node) => {
    if (isFunction(node) && !isCalledAtOnce(node, statement)) return 'skip'
    const binding = node.type === 'Identifier' ? scopes.bindingOf.get(node) : undefined
    const isWrite = binding?.references.some((reference) => reference.node === node && reference.isWrite) ?? false
    if (binding !== undefined && binding.scope === scopes.module && isWrite) found.add(binding)
    return
  })
  return found
}

/** `(function (Space) { … })(Space || (Space = {}))`: what TypeScript makes of a namespace. */
function isCalledAtOnce(fn: Node, statement: Node): boolean {
  return (
    statement.type === 'ExpressionStatement' &&
    statement.expression.type === 'CallExpression' &&
    statement.expression.callee === fn
  )
}

/** `table` in `table.set(…)`, `dayjs` in `dayjs.extend(x).locale('de')`, `Foo` in `Foo.x = 1`; nothing in `start()`. */
function rootOf(expression: EstreeNode): EstreeNode | undefined {
  switch (expression.type) {
    case 'AssignmentExpression':
      return expression.left.type === 'MemberExpression' ? rootOf(expression.left) : undefined
    case 'UpdateExpression':
    case 'AwaitExpression':
    case 'UnaryExpression':
      return rootOf(expression.argument)
    case 'ChainExpression':
      return rootOf(expression.expression)
    case 'CallExpression':
      return rootOfCall(expression)
    case 'MemberExpression':
      return expression.object.type === 'Identifier' ? expression.object : rootOf(expression.object)
    default:
      return undefined
  }
}

/**
 * `Object.assign(table, …)` and `Reflect.defineProperty(Foo, …)` are about their first argument; the calls that
 * compilers make of decorators, `__decorate([…], Foo.prototype, 'x')`, about their second.
 */
function rootOfCall({ callee, arguments: values }: SimpleCallExpression): EstreeNode | undefined {
  const isReflective =
    callee.type === 'MemberExpression' && callee.object.type === 'Identifier' && REFLECTIVE.test(callee.object.name)
  const isDecorating = callee.type === 'Identifier' && DECORATING.test(callee.name)
  const subject = isReflective ? values[0] : isDecorating ? values[1] : undefined
  if (subject !== undefined) return subject.type === 'Identifier' ? subject : rootOf(subject)
  return callee.type === 'MemberExpression' || callee.type === 'CallExpression' ? rootOf(callee) : undefined
}

const REFLECTIVE = /^(?:Object|Reflect)$/
/** Helpers of TypeScript, esbuild, Babel, SWC and oxc. */
const DECORATING = /^_+(?:ts_)?(?:es)?decorate/i
