import type { MagicString } from 'magic-string'

import { positioned } from './ast.ts'
import type { Node, ParsedModule, TextRange } from './ast.ts'
import type { ScanResult } from './scan.ts'
import type { Slices } from './slice.ts'
import type { Unit } from './units.ts'

export interface EditInput {
  readonly module: ParsedModule
  readonly scan: ScanResult
  readonly units: readonly Unit[]
  readonly slices: Slices
  readonly path: string
  readonly liftedExport: string
  readonly keepsExports: boolean
}

/** Removes all units but the kept ones: whole statements with their comments, or members of their lists. */
export function keepOnly(text: MagicString, units: readonly Unit[], kept: ReadonlySet<Unit>): void {
  const byStatement = new Map<Node, Unit[]>()
  for (const unit of units) byStatement.set(unit.statement, [...(byStatement.get(unit.statement) ?? []), unit])
  let previous: { readonly end: number; readonly isGone: boolean } = { end: 0, isGone: false }
  for (const [statement, members] of byStatement) {
    const gone = members.filter((unit) => !kept.has(unit))
    const isGone = gone.length === members.length
    if (isGone) removeWithComments(text, statement, previous.end)
    else if (gone.length > 0)
      removeMembers(
        text,
        statement,
        members.map((unit) => [unit.node, kept.has(unit)] as const),
      )
    // Without a semicolon before it, it would go on with the statement that now comes before.
    if (!isGone && previous.isGone && CONTINUES.test(text.original.slice(statement.start)))
      text.appendRight(statement.start, ';')
    previous = { end: statement.end, isGone }
  }
}

/** How an expression begins that can also go on with the one before it. */
const CONTINUES = /^[([`+\-/]/

/** Removes directives. One between two others may have been what ended the first. */
export function removeDirectives(text: MagicString, directives: readonly TextRange[]): void {
  for (const directive of directives) {
    const rest = text.original.slice(directive.end).trimStart()
    const isNeeded =
      CONTINUES.test(rest) && !/^\/[/*]/.test(rest) && /['"]\s*$/.test(text.original.slice(0, directive.start))
    if (isNeeded) text.overwrite(directive.start, directive.end, ';')
    else removeLine(text, directive)
  }
}

/** What is said about a statement goes with it. */
function removeWithComments(text: MagicString, { start, end }: Node, previousEnd: number): void {
  const from = Math.max(previousEnd, startOfComments(text.original, start))
  const [rest = ''] = /^[ \t]*(?:\/\*[^\n]*?\*\/[ \t]*)?(?:\/\/[^\n]*)?\r?\n?/.exec(text.original.slice(end)) ?? []
  text.remove(from, end + rest.length)
}

/** Where the comments right above a place begin, without one at the end of a line of code. */
export function startOfComments(code: string, end: number): number {
  let start = end
  for (;;) {
    const above = code.slice(0, start).trimEnd()
    const lineStart = above.lastIndexOf('\n') + 1
    if (above.endsWith('*/') && above.includes('/*')) start = above.lastIndexOf('/*')
    else if (above.slice(lineStart).trimStart().startsWith('//')) start = lineStart
    else return start
  }
}

/** Removes a range, and the rest of its line when that is empty. */
export function removeLine(text: MagicString, { start, end }: { readonly start: number; readonly end: number }): void {
  const until = lineEnd(text.original, end)
  const isWholeLine = text.original[until - 1] === '\n'
  const [indent = ''] =
    (isWholeLine && /(?<=^|\n)[ \t]*$/.exec(text.original.slice(Math.max(0, start - 200), start))) || []
  text.remove(start - indent.length, until)
}

/**
 * Where the module's statements begin: behind the line that names an interpreter, and behind the directives of
 * others, which have to come first.
 */
export function prologueEnd({ code, ast }: ParsedModule, removed: readonly TextRange[]): number {
  const isRemoved = (node: TextRange): boolean => removed.some(({ start }) => start === node.start)
  const statements = ast.body.map(positioned)
  const first = statements.findIndex((statement) => !('directive' in statement))
  const prologue = first === -1 ? statements : statements.slice(0, first)
  const last = prologue.findLast((statement) => !isRemoved(statement))
  return last === undefined ? hashbangEnd(code) : last.end
}

/** Where the first line ends if it names an interpreter, else 0. */
export function hashbangEnd(code: string): number {
  return /^#!.*\n?/.exec(code)?.[0].length ?? 0
}

function lineEnd(code: string, end: number): number {
  const [rest = ''] = /^[ \t]*\r?\n?/.exec(code.slice(end, end + 200)) ?? []
  return end + rest.length
}

/** Members of `import a, { b, c } from 'x'` or `const a = 1, b = 2`. */
function removeMembers(
  text: MagicString,
  statement: Node,
  members: readonly (readonly [node: Node, isKept: boolean])[],
): void {
  if (statement.type === 'ImportDeclaration') {
    const kept = members.flatMap(([node, isKept]) => (isKept ? [node] : []))
    text.overwrite(statement.start, positioned(statement.source).start, toImportClause(text.original, kept))
    return
  }
  let previousEnd: number | undefined
  for (const [index, [node, isKept]] of members.entries()) {
    const next = members[index + 1]?.[0]
    if (isKept) previousEnd = node.end
    else if (previousEnd !== undefined) text.remove(previousEnd, node.end)
    else if (next !== undefined) text.remove(node.start, next.start)
  }
}

function toImportClause(code: string, specifiers: readonly Node[]): string {
  const textOf = (node: Node): string => code.slice(node.start, node.end)
  const named = specifiers.filter(({ type }) => type === 'ImportSpecifier').map(textOf)
  const others = specifiers.filter(({ type }) => type !== 'ImportSpecifier').map(textOf)
  const clause = [...others, ...(named.length === 0 ? [] : [`{ ${named.join(', ')} }`])]
  return `import ${clause.join(', ')} from `
}
