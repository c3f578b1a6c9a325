import type { Node as EstreeNode } from 'estree'

import { boundIdentifiers, positioned, toNode, visit } from './ast.ts'
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
  /** What an earlier declaration of the same `var` declares. */
  readonly follows: ReadonlySet<Binding>
}

const NONE: ReadonlySet<Binding> = new Set()

/** Divides the top level of a module. */
export function divideModule(module: ParsedModule, scopes: ScopeTree): Unit[] {
  return module.ast.body.map(positioned).flatMap((statement) => divideStatement(statement, { module, scopes }))
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
  }
}

/** What a statement declares from inside: `{ var x = 1 }`. */
function effect(statement: Node, { scopes }: Context): Unit {
  const declares = [...scopes.module.bindings.values()].filter(
    (binding) => binding.declaration.start >= statement.start && binding.declaration.end <= statement.end,
  )
  return {
    node: statement,
    statement,
    kind: 'effect',
    declares,
    uses: usedBindings(statement, scopes),
    follows: NONE,
  }
}
