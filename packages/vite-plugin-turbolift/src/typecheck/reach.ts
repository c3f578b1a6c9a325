import type { Node as EstreeNode } from 'estree'

import { isFunction, positioned, visit } from '../ast.ts'
import type { FunctionNode, Node, ParsedModule, TextRange } from '../ast.ts'
import type { LiftedFunction } from '../lifted-function.ts'
import type { ScanResult } from '../scan.ts'
import type { SubjectReach } from './subject.ts'

/**
 * How the types of a module's lifted functions can be named in its TypeScript source, of which only the order of
 * the directives and the names are known to be the same as in the JavaScript that was scanned.
 */
export function findReaches(
  module: ParsedModule,
  { functions, directives }: Pick<ScanResult, 'functions' | 'directives'>,
): ReadonlyMap<LiftedFunction, SubjectReach> {
  const inside = directives
    .filter(({ start }) => !isModuleDirective(module, start))
    .toSorted((a, b) => a.start - b.start)
  const expressions = nameExpressions(module, new Set(functions.map(({ node }) => node)))
  const exports = exportedNames(module)
  const reaches = functions.map((fn): readonly [LiftedFunction, SubjectReach | undefined] => {
    const ordinal = inside.findIndex((range) => isOwnDirective(fn.node, range))
    const expression = expressions.get(fn.node)
    const isUnnamedDefault = expression === undefined && fn.path === 'default'
    if (ordinal === -1 || isUnnamedDefault) return [fn, toExport(fn, exports)]
    return [
      fn,
      {
        kind: 'directive',
        ordinal,
        expression,
        parameters: fn.node.params.map((parameter) => parameterName(parameter)),
        captures: fn.captures.map(({ name }) => name),
      },
    ]
  })
  return new Map(reaches.flatMap(([fn, reach]) => (reach === undefined ? [] : [[fn, reach]])))
}

function isModuleDirective({ ast }: ParsedModule, start: number): boolean {
  return ast.body.some((statement) => positioned(statement).start === start)
}

function isOwnDirective({ body }: FunctionNode, directive: TextRange): boolean {
  return (
    body.type === 'BlockStatement' && body.body.some((statement) => positioned(statement).start === directive.start)
  )
}

function toExport(
  { topLevelName, name }: LiftedFunction,
  exports: ReadonlyMap<string, string>,
): SubjectReach | undefined {
  const exported = topLevelName === undefined ? (name === 'default' ? 'default' : undefined) : exports.get(topLevelName)
  return exported === undefined ? undefined : { kind: 'export', name: exported }
}

function parameterName(parameter: EstreeNode): string | undefined {
  if (parameter.type === 'AssignmentPattern') return parameterName(parameter.left)
  if (parameter.type === 'RestElement') return parameterName(parameter.argument)
  return parameter.type === 'Identifier' ? parameter.name : undefined
}

/** Local name → a name under which the module exports it. */
function exportedNames({ ast }: ParsedModule): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  for (const statement of ast.body) {
    if (statement.type === 'ExportDefaultDeclaration') {
      const { declaration } = statement
      const local = declaration.type === 'Identifier' ? declaration : 'id' in declaration ? declaration.id : undefined
      if (local) names.set(local.name, 'default')
    }
    if (statement.type !== 'ExportNamedDeclaration' || statement.source) continue
    for (const { local, exported } of statement.specifiers) {
      if (local.type === 'Identifier' && exported.type === 'Identifier') names.set(local.name, exported.name)
    }
    const { declaration } = statement
    if (declaration?.type === 'FunctionDeclaration') names.set(declaration.id.name, declaration.id.name)
    if (declaration?.type !== 'VariableDeclaration') continue
    for (const { id } of declaration.declarations) if (id.type === 'Identifier') names.set(id.name, id.name)
  }
  return names
}

/** An expression for each function that means it inside of its body, where there is one. */
function nameExpressions(
  { ast }: ParsedModule,
  wanted: ReadonlySet<FunctionNode>,
): ReadonlyMap<FunctionNode, string | undefined> {
  const expressions = new Map<FunctionNode, string | undefined>()
  visit(ast, (node, parents) => {
    if (isFunction(node) && wanted.has(node)) expressions.set(node, nameExpression(node, parents))
  })
  return expressions
}

function nameExpression(node: FunctionNode, parents: readonly Node[]): string | undefined {
  if (node.type !== 'ArrowFunctionExpression' && node.id) return node.id.name
  let members = ''
  for (const parent of parents.toReversed()) {
    if (parent.type === 'ObjectExpression' || parent.type === 'ClassBody') continue
    if (parent.type === 'VariableDeclarator')
      return parent.id.type === 'Identifier' ? parent.id.name + members : undefined
    if ((parent.type === 'ClassDeclaration' || parent.type === 'ClassExpression') && parent.id)
      return parent.id.name + members
    if (parent.type === 'ClassExpression') continue
    const isMember =
      parent.type === 'Property' || parent.type === 'MethodDefinition' || parent.type === 'PropertyDefinition'
    if (!isMember || parent.computed || parent.key.type !== 'Identifier') return undefined
    members = `.${parent.key.name}${members}`
  }
  return undefined
}
