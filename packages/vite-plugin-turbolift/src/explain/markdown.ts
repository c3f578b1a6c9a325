import { ALL_VARIABLES } from './environment.ts'
import type { FunctionReport, LiftReport, ModuleReport, VariableReport } from './report.ts'

/** The report for people. */
export function toMarkdown(report: LiftReport): string {
  const intro = 'What leaves this machine: all that is in the worker of each lifted function, and why it is there.'
  return [`# Lifted functions\n\n${intro}\n`, ...report.functions.map(toSection)].join('\n')
}

function toSection(one: FunctionReport): string {
  const rows = one.modules.toSorted((a, b) => b.bytes - a.bytes).map(toRow)
  const facts = [
    `- pool: ${one.pool}`,
    `- size: ${toSize(one.bytes)} in ${one.modules.length} ${one.modules.length === 1 ? 'module' : 'modules'}`,
    `- packages: ${toList(one.packages.map(({ name, version, bytes }) => `${name}${version === undefined ? '' : ` ${version}`} (${toSize(bytes)})`))}`,
    `- built into Node: ${toList(one.builtins)}`,
    `- must be in the worker's image: ${toList(one.externals)}`,
    `- reads from the environment: ${toList(one.environment.map(toVariable))}`,
  ]
  return `## \`${one.id}\`\n\n${facts.join('\n')}\n\n| module | size | because |\n|---|---:|---|\n${rows.join('\n')}\n`
}

function toRow({ path, bytes, because }: ModuleReport): string {
  const reason = because.length === 0 ? 'holds the function' : because.map((one) => `\`${one}\``).join(' → ')
  return `| \`${path}\` | ${toSize(bytes)} | ${reason} |`
}

function toVariable({ name, readBy }: VariableReport): string {
  return `${name === ALL_VARIABLES ? 'the whole environment' : `\`${name}\``} (${readBy.join(', ')})`
}

function toSize(bytes: number): string {
  return bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toFixed(1)} kB`
}

function toList(items: readonly string[]): string {
  return items.length === 0 ? 'none' : items.join(', ')
}
