import type { Identifier, Literal, Node as EstreeNode } from 'estree'

import { parseModule, positioned, visit } from '../ast.ts'
import type { Node } from '../ast.ts'
import { membersOf } from './json-imports.ts'
import type { KeptExports } from '../slice.ts'

interface Import {
  /** Id of the module that holds it. */
  readonly importer: string
  readonly source: string
}

/**
 * Lifted modules that other modules of the worker import, and the exports that these need. A build that has made it
 * grow is to be done again.
 */
export class SharedExports {
  readonly #kept: Map<string, KeptExports> = new Map()
  #imports: (Import & { readonly id: string })[] = []
  /** How often something was added. */
  growth = 0

  /** What is to be kept of a module; `undefined` when none of the worker imports it. */
  of(id: string): KeptExports | undefined {
    return this.#kept.get(id)
  }

  note(id: string, { importer, source }: Import): void {
    this.#imports.push({ id, importer, source })
  }

  /** Reads what is imported by all that was noted. */
  read(codeOf: (id: string) => string | undefined): void {
    for (const { id, importer, source } of this.#imports) this.#add(id, codeOf(importer), source)
    this.#imports = []
  }

  #add(id: string, importer: string | undefined, source: string): void {
    const known = this.#kept.get(id)
    if (known === 'all') return
    const names = importer === undefined ? 'all' : readNames(importer, source)
    if (holds(known, names)) return
    this.#kept.set(id, names === 'all' ? 'all' : new Set([...(known ?? []), ...names]))
    this.growth += 1
  }
}

/** Whether what is kept of a module has all the exports that are needed. */
export function holds(kept: KeptExports | undefined, needed: Iterable<string> | 'all'): boolean {
  if (kept === undefined || kept === 'all') return kept === 'all'
  return needed !== 'all' && [...needed].every((name) => kept.has(name))
}

/** The names that a module imports from a source: all of them, unless it lists them. */
export function readNames(code: string, source: string): readonly string[] | 'all' {
  try {
    return importedNames(code, source)
  } catch (error) {
    // Another plugin is still to make JavaScript of it.
    if (error instanceof SyntaxError) return 'all'
    throw error
  }
}

/** @throws SyntaxError */
function importedNames(code: string, source: string): readonly string[] | 'all' {
  const names: string[] = []
  let isAll = false
  // Another plugin may have written it in another way.
  let isFound = false
  const { ast } = parseModule(code)
  visit(ast, (node, parents) => {
    if (node.type === 'ImportExpression') {
      if (node.source.type === 'Literal' && node.source.value !== source) return
      isFound = true
      const taken = node.source.type === 'Literal' ? namesTaken(node, parents) : undefined
      if (taken === undefined) isAll = true
      else names.push(...taken)
    } else if (node.type === 'ExportAllDeclaration') isAll ||= node.source.value === source
    else if (node.type === 'ImportDeclaration' && node.source.value === source) {
      isFound = true
      for (const specifier of node.specifiers) {
        if (specifier.type === 'ImportNamespaceSpecifier') {
          const members = membersOf(positioned(specifier.local), ast)
          if (members === undefined) isAll = true
          else names.push(...members)
        } else names.push(specifier.type === 'ImportSpecifier' ? nameOf(specifier.imported) : 'default')
      }
    } else if (node.type === 'ExportNamedDeclaration' && node.source?.value === source) {
      isFound = true
      names.push(...node.specifiers.map(({ local }) => nameOf(local)))
    }
  })
  return isAll || !isFound ? 'all' : names
}

/** What is taken of `await import(…)`: by a pattern, or as a member. */
function namesTaken(node: Node, parents: readonly Node[]): readonly string[] | undefined {
  const [parent, above] = parents.toReversed()
  if (parent?.type !== 'AwaitExpression') return undefined
  if (above?.type === 'MemberExpression' && above.object === parent) {
    return !above.computed && above.property.type === 'Identifier' ? [above.property.name] : undefined
  }
  return above?.type === 'VariableDeclarator' && above.init === parent ? namesInPattern(above.id) : undefined
}

function namesInPattern(pattern: EstreeNode): readonly string[] | undefined {
  if (pattern.type !== 'ObjectPattern') return undefined
  const names = pattern.properties.flatMap((one) =>
    one.type === 'Property' && !one.computed && one.key.type === 'Identifier' ? [one.key.name] : [],
  )
  return names.length === pattern.properties.length ? names : undefined
}

function nameOf(node: Identifier | Literal): string {
  return node.type === 'Identifier' ? node.name : String(node.value)
}
