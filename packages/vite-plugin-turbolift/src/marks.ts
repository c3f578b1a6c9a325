import { positioned } from './ast.ts'
import type { Node, ParsedModule } from './ast.ts'
import { startOfComments } from './edit.ts'
import type { Source } from './source.ts'

/** What the comment above a statement asks for: that workers run it too, or that only the main program does. */
export type Mark = 'keep' | 'main'

const MARK = /@turbolift-(keep|main)\b/

export function holdsMark(text: string): boolean {
  return MARK.test(text)
}

/**
 * Reads the marks of a module's statements: from its source where there is one, since compilers of TypeScript leave out
 * comments, and else from the code itself.
 */
export function readMarks({ ast, code }: ParsedModule, source: Source | undefined): ReadonlyMap<Node, Mark> {
  const marks = new Map<Node, Mark>()
  const text = source?.text ?? code
  if (!holdsMark(text)) return marks
  for (const statement of ast.body.map(positioned)) {
    const start = source === undefined ? statement.start : toOffset(text, source.locate(statement.start))
    const mark = markIn(commentsBefore(text, start))
    if (mark !== undefined) marks.set(statement, mark)
  }
  return marks
}

function markIn(comments: string): Mark | undefined {
  const [, word] = MARK.exec(comments) ?? []
  return word === 'keep' || word === 'main' ? word : undefined
}

function toOffset(text: string, { line, column }: { readonly line: number; readonly column: number }): number {
  const before = text.split('\n').slice(0, line - 1)
  return before.reduce((total, one) => total + one.length + 1, 0) + column
}

function commentsBefore(text: string, end: number): string {
  return text.slice(startOfComments(text, end), end)
}
