import { readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { cpus, release, totalmem, type } from 'node:os'

/** A table, with what was measured and how said above it. */
export interface Section {
  readonly title: string
  readonly text: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/**
 * Replaces the section of this name in the file, or appends it; the others stay as they are, each with the machine,
 * the versions and the day of its own run.
 */
export async function writeSection(path: string, name: string, section: Section): Promise<void> {
  const [start, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->\n`]
  const before = await readFile(path, 'utf8')
  const [head = '', rest] = before.split(start)
  const tail = rest?.split(end)[1] ?? ''
  const gap = rest === undefined ? '\n' : ''
  await writeFile(path, `${head}${gap}${start}${toMarkdown(section)}${end}${tail}`)
}

export function toMarkdown({ title, text, head, rows }: Section): string {
  const table = [head, head.map((_, column) => (column === 0 ? '---' : '---:')), ...rows]
  const lines = table.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
  return `\n## ${title}\n\n${text}\n\n${lines}\n\n${describeMachine()}\n\n`
}

/** A table for the terminal, in columns. */
export function toText({ title, head, rows }: Section): string {
  const table = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('   ')
  return `${title}\n${table.map((cells) => `  ${line(cells)}`).join('\n')}\n`
}

/** Name and version of an installed package, as the tables show it. */
export function withVersion(name: string): string {
  const { version } = createRequire(`${process.cwd()}/package.json`)(`./node_modules/${name}/package.json`)
  return `${name} ${version}`
}

function describeMachine(): string {
  const [cpu] = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  const machine = `${cpus().length} cores of ${cpu?.model.trim()}, ${memory} GB, ${type()} ${release()}`
  return `Measured on ${new Date().toISOString().slice(0, 10)}: ${machine}, Node ${process.versions.node}.`
}
