/** The text that people wrote, and how to find a position of the compiled text in it. */
export interface Source {
  readonly file: string
  readonly text: string
  /** Line from 1, column from 0. */
  locate(offset: number): { readonly line: number; readonly column: number }
}

/** A text whose places are those of the file itself. */
export function toSource(file: string, text: string): Source {
  const locate = (offset: number) => {
    const before = text.slice(0, offset).split('\n')
    return { line: before.length, column: before.at(-1)?.length ?? 0 }
  }
  return { file, text, locate }
}

/** The line, two before and one after it, and a mark under the column. */
export function codeFrame(text: string, { line, column }: { readonly line: number; readonly column: number }): string {
  const lines = text.split('\n')
  const first = Math.max(0, line - 3)
  const width = String(line + 1).length
  return lines
    .slice(first, line + 1)
    .flatMap((content, index) => {
      const number = first + index + 1
      const row = `${String(number).padStart(width)} | ${content.trimEnd()}`
      return number === line ? [row, `${' '.repeat(width)} | ${' '.repeat(column)}^`] : [row]
    })
    .join('\n')
}
