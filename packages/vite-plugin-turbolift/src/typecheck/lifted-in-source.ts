import { tsPlugin } from '@sveltejs/acorn-typescript'
import { Parser } from 'acorn'

import { isFunction, positioned, visit } from '../ast.ts'
import type { FunctionNode, Node, Program, TextRange } from '../ast.ts'
import { parseDirective } from '../directive.ts'

/** A function of a TypeScript source that has the directive. */
export interface LiftedInSource {
  readonly directive: TextRange
  readonly node: FunctionNode
  /** Outermost first. */
  readonly parents: readonly Node[]
}

/** Those of a source, in the order of their directives; `undefined` when the source cannot be read. */
export function findLiftedInSource(
  source: string,
  path: string,
  parse?: ParseTypeScript,
): readonly LiftedInSource[] | undefined {
  const program = parseTypeScript(source, path) ?? parseByHost(source, path, parse)
  if (program === undefined) return undefined
  const found: LiftedInSource[] = []
  visit(program, (node, parents) => {
    if (!isFunction(node) || node.body.type !== 'BlockStatement') return
    for (const statement of node.body.body.map(positioned)) {
      if (!('directive' in statement)) break
      if (parseDirective(String(statement.directive))?.kind === 'lift')
        found.push({ directive: statement, node, parents: [...parents] })
    }
  })
  return found.toSorted((a, b) => a.directive.start - b.directive.start)
}

/** A bundler's own parser, as that of Vite 8, which reads all of TypeScript. */
export type ParseTypeScript = (code: string, options: { readonly lang: 'ts' | 'tsx' }) => object

/** Hosts that know no TypeScript throw. */
function parseByHost(source: string, path: string, parse: ParseTypeScript | undefined): Program | undefined {
  try {
    return parse?.(source, { lang: path.endsWith('x') ? 'tsx' : 'ts' }) as Program | undefined
  } catch {
    return undefined
  }
}

function parseTypeScript(source: string, path: string): Program | undefined {
  const parser = Parser.extend(tsPlugin({ jsx: path.endsWith('x') }))
  try {
    const options = { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true } as const
    return parser.parse(source, { ...options, allowAwaitOutsideFunction: true }) as unknown as Program
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
