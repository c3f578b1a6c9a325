import { ALL_VARIABLES } from './environment.ts'
import type { LiftReport, PackageReport, SourceReport, VariableReport } from './report.ts'

/** The report for people. */
export function toMarkdown(report: LiftReport): string {
  const intro = 'What leaves this machine: all that is in the worker of each lifted function, and why it is there.'
  return [`# Lifted functions\n\n${intro}\n`, ...report.sources.map(toSection)].join('\n')
}

function toSection(one: SourceReport): string {
  const modules = one.modules.map((module) => ({ ...module, what: `\`${module.path}\`` }))
  const packages = one.packages.map((found) => ({ ...found, what: toPackage(found) }))
  const rows = [...modules, ...packages].toSorted((a, b) => b.bytes - a.bytes).map(toRow)
  const facts = [
    ...one.functions.map(({ id, pool }) => `- \`${id}\` in pool ${pool}`),
    `- size: ${toSize(one.bytes)} in ${toCount(one.modules.length, 'module')} and ${toCount(one.packages.length, 'package')}`,
    `- built into Node: ${toList(one.builtins)}`,
    `- must be in the worker's image: ${toList(one.externals)}`,
    ...(one.unresolved.length === 0 ? [] : [`- imported, but not found: ${toList(one.unresolved)}`]),
    `- reads from the environment: ${toList(one.environment.map(toVariable))}`,
  ]
  return `## \`${one.path}\`\n\n${facts.join('\n')}\n\n| part | size | because |\n|---|---:|---|\n${rows.join('\n')}\n`
}

function toPackage({ name, version, modules }: PackageReport): string {
  return `${name}${version === undefined ? '' : ` ${version}`}, ${toCount(modules, 'module')}`
}

function toRow({ what, bytes, because }: { what: string; bytes: number; because: readonly string[] }): string {
  const reason = because.length === 0 ? 'holds the function' : because.map((one) => `\`${one}\``).join(' → ')
  return `| ${what} | ${toSize(bytes)} | ${reason} |`
}

function toCount(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
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
