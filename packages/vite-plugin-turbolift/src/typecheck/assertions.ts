import { dirname, relative, sep } from 'node:path'

import { MagicString } from 'magic-string'

import type { Node } from '../ast.ts'
import { CANARY } from './findings.ts'
import { findLiftedInSource } from './lifted-in-source.ts'
import type { LiftedInSource, ParseTypeScript } from './lifted-in-source.ts'
import type { TypecheckSubject } from './subject.ts'

/** A source with assertions, and on which of its lines, from 1, each function's stands. */
export interface Assertions {
  readonly text: string
  readonly lines: readonly { readonly number: number; readonly line: number }[]
}

export interface NumberedSubject extends TypecheckSubject {
  /** What the compiler's messages call it. */
  readonly number: number
}

/**
 * The assertions about exported functions, as one module at `path`:
 *
 *   export type $lift0 = $Turbolift.Assert<$Turbolift.Check<typeof import('../../src/tasks.js')['square'], '0'>>
 */
export function exportAssertions(subjects: readonly NumberedSubject[], path: string): Assertions {
  const found = subjects.flatMap(({ number, module, reach }) => {
    if (reach.kind !== 'export') return []
    const type = `(typeof import(${JSON.stringify(importSpecifier(path, module))}))[${JSON.stringify(reach.name)}]`
    return [{ number, line: `export ${assertion(String(number), type)}` }]
  })
  return {
    text: [`export type $lift_canary = $Turbolift.Assert<'${CANARY}'>`, ...found.map(({ line }) => line), ''].join(
      '\n',
    ),
    lines: found.map(({ number }, index) => ({ number, line: index + 2 })),
  }
}

export interface InPlace {
  readonly subjects: readonly NumberedSubject[]
  readonly parse: ParseTypeScript | undefined
}

/**
 * A copy of one module's source, in which an assertion stands in place of each directive, so that functions
 * that nothing exports can be named; lines stay the same. Undefined when the source cannot be read.
 */
export function assertInPlace(source: string, { subjects, parse }: InPlace): Assertions | undefined {
  const copy = new MagicString(source)
  const lifted = findLiftedInSource(source, subjects[0]?.module ?? '', parse)
  const lines: { number: number; line: number }[] = []
  for (const { number, reach } of subjects) {
    if (reach.kind !== 'directive') continue
    const found = lifted?.[reach.ordinal]
    if (found === undefined) return undefined
    const type = nameType(copy, found, `$lift_function_${number}`)
    const captures = reach.captures.map((name) => captureAssertion(String(number), name))
    const { start, end } = found.directive
    lines.push({ number, line: source.slice(0, start).split('\n').length })
    copy.overwrite(start, end, `${[assertion(String(number), type), ...captures].join('; ')};`)
  }
  return { text: copy.toString(), lines }
}

/**
 * An expression for the function's type inside of its body. One without a name becomes a function expression with
 * a name, whose parameters get their types from around it as before:
 *
 *   map(async (file) => { … }, files)        map(async function $lift_function_0(file) { … }, files)
 *   { async run(n) { … } }                   { run: async function $lift_function_0(n) { … } }
 */
function nameType(copy: MagicString, { node, parents }: LiftedInSource, name: string): string {
  if (node.type === 'ArrowFunctionExpression') {
    nameArrow(copy, node, name)
    return `typeof ${name}`
  }
  if (node.id) return `typeof ${node.id.name}`
  const parent = parents.at(-1)
  if (parent?.type === 'MethodDefinition') {
    const key = copy.original.slice(...rangeOf(parent.key))
    return `(typeof ${nameClass(copy, parents.at(-3), name)})[${/^['"]/.test(key) ? key : `'${key}'`}]`
  }
  const star = node.generator ? '*' : ''
  if (parent?.type === 'Property' && parent.method) {
    const [start, end] = rangeOf(parent.key)
    copy.overwrite(parent.start, end, `${copy.original.slice(start, end)}: async function${star} ${name}`)
  } else copy.appendLeft(endOf(copy, star || 'function', node.start), ` ${name}`)
  return `typeof ${name}`
}

function nameArrow(copy: MagicString, { start, body, params }: LiftedInSource['node'], name: string): void {
  copy.appendLeft(endOf(copy, 'async', start), ` function ${name}`)
  const arrow = copy.original.lastIndexOf('=>', rangeOf(body)[0])
  copy.remove(arrow, arrow + '=>'.length)
  const [first] = params.map(rangeOf)
  const isBare = first !== undefined && copy.original.slice(start, first[0]).trim() === 'async'
  if (isBare) copy.appendLeft(first[0], '(').appendRight(first[1], ')')
}

function nameClass(copy: MagicString, node: Node | undefined, name: string): string {
  if (node?.type !== 'ClassDeclaration' && node?.type !== 'ClassExpression') throw new Error('A method is in no class.')
  // The default export may be a declaration without a name.
  if (node.id) return node.id.name
  copy.appendLeft(endOf(copy, 'class', node.start), ` ${name}`)
  return name
}

function endOf({ original }: MagicString, word: string, from: number): number {
  return original.indexOf(word, from) + word.length
}

function rangeOf(node: object): [start: number, end: number] {
  const { start, end } = node as Node
  return [start, end]
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
