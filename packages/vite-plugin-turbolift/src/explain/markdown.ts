import { ALL_VARIABLES } from './environment.ts'
import type { LiftReport, PackageReport, SourceReport, VariableReport } from './report.ts'

/** The report for people. */
export function toMarkdown(report: LiftReport): string {
  const intro = 'What leaves this machine: all that is in the workers of lifted functions, and what imports it.'
  const parts = report.sources.length === 0 ? [] : [toParts(report)]
  return [`# Lifted functions\n\n${intro}\n`, ...report.sources.map(toSection), ...parts].join('\n')
}

function toSection(one: SourceReport): string {
  const facts = [
    ...one.functions.map(({ id, pool }) => `- \`${id}\` in pool ${pool}`),
    `- size: ${toSize(one.bytes)} in ${toCount(one.modules, 'module')} and ${toCount(one.packages.length, 'package')}`,
    `- packages: ${toList(one.packages)}`,
    `- built into Node: ${toList(one.builtins)}`,
    `- must be in the worker's image: ${toList(one.externals)}`,
    ...(one.unresolved.length === 0 ? [] : [`- imported, but not found: ${toList(one.unresolved)}`]),
    `- reads from the environment: ${toList(one.environment.map(toVariableName))}`,
  ]
  return `## \`${one.path}\`\n\n${facts.join('\n')}\n`
}

/** All that is in workers, each part once; who imports it leads to the lifted functions. */
function toParts({ sources, modules, packages, environment }: LiftReport): string {
  const lifted = new Set(sources.map(({ path }) => path))
  const rows = [
    ...modules.map((module) => ({ ...module, what: `\`${module.path}\``, isLifted: lifted.has(module.path) })),
    ...packages.map((found) => ({ ...found, what: toPackage(found), isLifted: false })),
  ].toSorted((a, b) => b.bytes - a.bytes)
  const table = `| part | size | imported by |\n|---|---:|---|\n${rows.map(toRow).join('\n')}\n`
  const variables = environment.map((one) => `- ${toVariable(one)}`).join('\n')
  return `## All parts\n\n${table}${variables === '' ? '' : `\nRead from the environment:\n\n${variables}\n`}`
}

function toPackage({ name, version, modules }: PackageReport): string {
  return `${name}${version === undefined ? '' : ` ${version}`}, ${toCount(modules, 'module')}`
}

interface Row {
  readonly what: string
  readonly bytes: number
  readonly importedBy: readonly string[]
  readonly isLifted: boolean
}

function toRow({ what, bytes, importedBy, isLifted }: Row): string {
  const importers = importedBy.map((one) => `\`${one}\``)
  return `| ${what} | ${toSize(bytes)} | ${[...(isLifted ? ['holds lifted functions'] : []), ...importers].join(', ')} |`
}

function toCount(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function toVariable({ name, readBy }: VariableReport): string {
  return `${toVariableName(name)} (${readBy.join(', ')})`
}

function toVariableName(name: string): string {
  return name === ALL_VARIABLES ? 'the whole environment' : `\`${name}\``
}

function toSize(bytes: number): string {
  return bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toFixed(1)} kB`
}

function toList(items: readonly string[]): string {
  return items.length === 0 ? 'none' : items.join(', ')
}
