import { toVisibleLine } from '../visible-text.ts'

/** Columns as wide as their widest cell. The first row is the heading; each is one line, whatever its cells hold. */
export function toTable(texts: readonly (readonly string[])[]): string {
  const rows = texts.map((row) => row.map(toVisibleLine))
  const widths = rows.reduce<readonly number[]>(
    (widest, row) => row.map((cell, column) => Math.max(widest[column] ?? 0, cell.length)),
    [],
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
