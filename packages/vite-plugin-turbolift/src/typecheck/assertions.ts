import { dirname, relative, sep } from 'node:path'

import { findDirectives } from './directives.ts'
import { CANARY } from './findings.ts'
import type { TypecheckSubject } from './subject.ts'

export interface NumberedSubject extends TypecheckSubject {
  /** What the compiler's messages call it. */
  readonly number: number
}

/**
 * The assertions about exported functions, as one module at `path`:
 *
 *   export type $lift0 = $Turbolift.Assert<$Turbolift.Check<typeof import('../../src/tasks.js')['square'], '0'>>
 */
export function exportAssertions(subjects: readonly NumberedSubject[], path: string): string {
  const lines = subjects.flatMap(({ number, module, reach }) => {
    if (reach.kind !== 'export') return []
    const type = `(typeof import(${JSON.stringify(importSpecifier(path, module))}))[${JSON.stringify(reach.name)}]`
    return [`export ${assertion(String(number), type)}`]
  })
  return [`export ${assertion(CANARY, '() => symbol')}`, ...lines, ''].join('\n')
}

/**
 * A copy of one module's source, in which an assertion stands in place of each directive, so that functions
 * that nothing exports can be named; lines stay the same. Undefined when the directives of the source
 * cannot be told from other text.
 */
export function assertInPlace(source: string, subjects: readonly NumberedSubject[]): string | undefined {
  const directives = findDirectives(source)
  let copy = ''
  let end = 0
  for (const { number, reach } of subjects.toSorted(byOrdinal)) {
    if (reach.kind !== 'directive') continue
    const directive = directives[reach.ordinal]
    if (directive === undefined) return undefined
    const type = reach.expression === undefined ? parametersOnly(reach.parameters) : `typeof ${reach.expression}`
    const captures = reach.captures.map((name) => captureAssertion(String(number), name))
    copy += `${source.slice(end, directive.start)}${[assertion(String(number), type), ...captures].join('; ')};`
    end = directive.end
  }
  return copy + source.slice(end)
}

function byOrdinal({ reach: a }: NumberedSubject, { reach: b }: NumberedSubject): number {
  return a.kind === 'directive' && b.kind === 'directive' ? a.ordinal - b.ordinal : 0
}

function parametersOnly(names: readonly (string | undefined)[]): string {
  const types = names.map((name) => (name === undefined ? 'unknown' : `typeof ${name}`))
  return `(...parameters: [${types.join(', ')}]) => void`
}

function assertion(number: string, type: string): string {
  return `type $lift_${number} = $Turbolift.Assert<$Turbolift.Check<${type}, '${number}'>>`
}

function captureAssertion(number: string, name: string): string {
  const check = `$Turbolift.CheckValue<typeof ${name}, 'capture ${name}', '${number}'>`
  return `type $lift_${number}_${name} = $Turbolift.Assert<${check}>`
}

/** `.ts` becomes `.js`, which every module resolution of TypeScript finds. */
function importSpecifier(from: string, module: string): string {
  const path = relative(dirname(from), module).split(sep).join('/')
  return (path.startsWith('.') ? path : `./${path}`).replace(/\.([mc]?)tsx?$/, '.$1js')
}
