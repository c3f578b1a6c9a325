import { positioned } from '../ast.ts'
import type { FunctionNode, ParsedModule, TextRange } from '../ast.ts'
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
  const exports = exportedNames(module)
  const reaches = functions.map((fn): readonly [LiftedFunction, SubjectReach | undefined] => {
    const ordinal = inside.findIndex((range) => isOwnDirective(fn.node, range))
    if (ordinal === -1) return [fn, toExport(fn, exports)]
    return [fn, { kind: 'directive', ordinal, captures: fn.captures.map(({ name }) => name) }]
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
