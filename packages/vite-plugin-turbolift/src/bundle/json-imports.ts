import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

import { parseModule, positioned, visit } from '../ast.ts'
import type { HostParser, Node, NodeOf, Program } from '../ast.ts'
import { cleanId } from '../module-id.ts'
import { analyzeScopes } from '../scope.ts'

/**
 * Has the bundler take single keys of a JSON file, where a module uses no more of it: `import config from './config.json'`
 * becomes `import * as config from './config.json'`, of which bundlers leave out what is not used. The other keys may be
 * the main program's, such as passwords.
 */
export function narrowJsonImports(code: string, id: string, host: HostParser): string {
  if (!/\.json['"]/.test(code)) return code
  const { ast } = parseModule(code, host)
  let narrowed = code
  // From the end, so that places before stay where they are.
  for (const statement of ast.body.map(positioned).toReversed()) {
    const local = statement.type === 'ImportDeclaration' ? onlyDefault(statement) : undefined
    if (statement.type !== 'ImportDeclaration' || local === undefined) continue
    const names = membersOf(local, ast)
    if (names === undefined || !holdsKeys(resolve(dirname(cleanId(id)), String(statement.source.value)), names))
      continue
    narrowed = `${narrowed.slice(0, local.start)}* as ${narrowed.slice(local.start)}`
  }
  return narrowed
}

function onlyDefault({ source, specifiers }: NodeOf<'ImportDeclaration'>): NodeOf<'Identifier'> | undefined {
  const [specifier] = specifiers
  const isOnlyDefault = specifiers.length === 1 && specifier?.type === 'ImportDefaultSpecifier'
  return isOnlyDefault && /^\..*\.json$/.test(String(source.value)) ? positioned(specifier.local) : undefined
}

/** `ns.a` and `ns.b()` alone: the names after the dots. */
export function membersOf(local: NodeOf<'Identifier'>, ast: Program): readonly string[] | undefined {
  const binding = analyzeScopes(ast).bindingOf.get(local)
  const names = new Map<Node, string>()
  visit(ast, (node, parents) => {
    if (node.type !== 'MemberExpression' || node.computed || node.property.type !== 'Identifier') return
    const parent = parents.at(-1)
    const isChanged =
      (parent?.type === 'AssignmentExpression' && parent.left === node) ||
      parent?.type === 'UpdateExpression' ||
      (parent?.type === 'UnaryExpression' && parent.operator === 'delete')
    if (!isChanged) names.set(positioned(node.object) as Node, node.property.name)
  })
  const taken = binding?.references.map(({ node }) => names.get(node)) ?? [undefined]
  return taken.every((name) => name !== undefined) ? taken : undefined
}

/** Whether a file is a JSON object with all of these keys, each of which is an export of it. */
function holdsKeys(file: string, names: readonly string[]): boolean {
  if (!existsSync(file)) return false
  const value = parseJson(readFileSync(file, 'utf8'))
  if (typeof value !== 'object' || value === null || Array.isArray(value) || 'default' in value) return false
  return names.every((name) => Object.hasOwn(value, name))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    // The bundler says what is wrong with it.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
