import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

import { ambientTypes } from './ambient.ts'
import { assertInPlace, exportAssertions } from './assertions.ts'
import type { NumberedSubject } from './assertions.ts'
import { parseCheckerOutput } from './findings.ts'
import type { CheckerOutput, CompilerMessage, TypeFinding } from './findings.ts'
import { findGlobalFiles } from './global-files.ts'
import type { ParseTypeScript } from './lifted-in-source.ts'
import { toFolder } from './projects.ts'
import type { Project } from './projects.ts'
import { isInPackage } from '../module-id.ts'
import { runTsc } from './tsc.ts'
import type { Tsc } from './tsc.ts'
import { NO_ADJUSTMENTS, toCopyPath, toTsconfig } from './tsconfig.ts'
import type { Adjustments } from './tsconfig.ts'

export interface ProgramInput {
  readonly root: string
  readonly subjects: readonly NumberedSubject[]
  readonly sources: ReadonlyMap<string, string>
  readonly project: Project | undefined
  readonly tsc: Tsc
  readonly parse?: ParseTypeScript | undefined
  readonly signal?: AbortSignal | undefined
}

export interface ProgramResult {
  readonly findings: readonly TypeFinding[]
  /** Number of a function → why the compiler could not tell its types. */
  readonly unchecked: ReadonlyMap<number, string>
  readonly warnings: readonly string[]
}

/** Checks the functions of modules that one configuration is for. */
export async function checkProgram(input: ProgramInput): Promise<ProgramResult> {
  const program = await writeProgram(input)
  let adjustments = NO_ADJUSTMENTS
  for (;;) {
    await writeText(program.tsconfig, `${JSON.stringify(toTsconfig({ ...program, adjustments }), null, 2)}\n`)
    const output = parseCheckerOutput(await runTsc(input.tsc, program.tsconfig, input))
    const next = output.isComplete ? undefined : adjust(adjustments, output.others)
    if (next === undefined) return toResult(output, { ...program, adjustments })
    adjustments = next
  }
}

interface Program {
  readonly root: string
  readonly subjects: readonly NumberedSubject[]
  readonly project: Project | undefined
  readonly keepsState: boolean
  readonly copies: string
  readonly tsconfig: string
  readonly files: readonly string[]
  /** Generated file and line → numbers of the functions whose assertions stand there. */
  readonly lines: ReadonlyMap<string, readonly number[]>
  /** Modules whose source could not be read. */
  readonly unread: readonly string[]
}

async function writeProgram({ root, subjects, sources, project, tsc, parse }: ProgramInput): Promise<Program> {
  const folder = toFolder(root, project)
  const copies = join(folder, 'copies')
  const exported = join(folder, 'exported.mts')
  const texts = new Map([[join(folder, 'turbolift.d.ts'), ambientTypes]])
  const lines = new Map<string, number[]>()
  const unread: string[] = []
  const add = (path: string, assertions: ReturnType<typeof exportAssertions>): void => {
    texts.set(path, assertions.text)
    for (const { number, line } of assertions.lines) {
      const key = toKey(path, line)
      lines.set(key, [...(lines.get(key) ?? []), number])
    }
  }
  add(exported, exportAssertions(subjects, exported))
  for (const [module, inside] of groupInside(subjects)) {
    const copy = assertInPlace(sources.get(module) ?? '', { subjects: inside, parse })
    if (copy === undefined) unread.push(module)
    else add(toCopyPath(copies, module), copy)
  }
  await Promise.all([...texts].map(([path, text]) => writeText(path, text)))
  const globals = (await findGlobalFiles(project)).filter((path) => !sources.has(path))
  const files = [...texts.keys(), ...globals]
  const tsconfig = join(folder, 'tsconfig.json')
  return {
    root,
    subjects,
    project,
    keepsState: tsc.keepsState,
    copies,
    tsconfig,
    files,
    lines,
    unread,
  }
}

function groupInside(subjects: readonly NumberedSubject[]): ReadonlyMap<string, readonly NumberedSubject[]> {
  const groups = new Map<string, NumberedSubject[]>()
  for (const subject of subjects) {
    if (subject.reach.kind !== 'directive') continue
    groups.set(subject.module, [...(groups.get(subject.module) ?? []), subject])
  }
  return groups
}

async function writeText(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}

function toKey(path: string, line: number): string {
  return `${path}:${line}`
}

/** Leaves out what the compiler stumbled over; undefined where it is no setting, or was left out already. */
function adjust(adjustments: Adjustments, messages: readonly CompilerMessage[]): Adjustments | undefined {
  const { options, types, files } = adjustments
  for (const { file, code, text } of messages) {
    const [, name = ''] = /'(?:--)?([^'=]+)(?:=[^']*)?'/.exec(text) ?? []
    if (file !== undefined && /\.d\.[mc]?ts$/.test(file) && isSyntax(code)) {
      if (!files.includes(resolve(file))) return { ...adjustments, files: [...files, resolve(file)] }
    } else if (code === 'TS2688') {
      if (!types.includes(name)) return { ...adjustments, types: [...types, name] }
    } else if (/^TS5\d\d\d$/.test(code) && name !== '' && !options.includes(name)) {
      return { ...adjustments, options: [...options, name] }
    }
  }
  return undefined
}

function isSyntax(code: string): boolean {
  return /^TS1\d\d\d$/.test(code)
}

interface Adjusted extends Program {
  readonly adjustments: Adjustments
}

function toResult(output: CheckerOutput, program: Adjusted): ProgramResult {
  const [first] = output.others
  const reason = first === undefined ? 'tsc printed nothing that can be read' : toText(first, program)
  return {
    findings: output.findings,
    unchecked: output.isComplete ? findUnchecked(output, program) : new Map(),
    warnings: [
      ...program.unread.map(
        (module) => `Types of lifted functions in ${module} were not checked: the source could not be read.`,
      ),
      ...describeAdjustments(program.adjustments),
      ...(output.isComplete ? [] : [`Types of lifted functions were not checked: ${reason}`]),
    ],
  }
}

function describeAdjustments({ options, types, files }: Adjustments): readonly string[] {
  const left = [
    ...options.map((name) => `the option "${name}", which this TypeScript refuses`),
    ...types.map((name) => `the types "${name}", which were not found`),
    ...files.map((path) => `${path}, which has a syntax error`),
  ]
  return left.length === 0 ? [] : [`Types of lifted functions were checked without ${left.join(', ')}.`]
}

/** What the compiler has against a type that it takes for `any` then, or does not look at to its end. */
const DOUBTS = new Set(
  // A name or a module that was not found; a type that is too deep, too large, or too much to compare.
  [2304, 2305, 2306, 2307, 2503, 2552, 2580, 2591, 2614, 2694, 2724, 2792, 7016, 2589, 2590, 2321].map(
    (number) => `TS${number}`,
  ),
)

/** Functions with assertions that the compiler said nothing about, and what may be the reason. */
function findUnchecked({ others, checked }: CheckerOutput, program: Adjusted): ReadonlyMap<number, string> {
  const missed = program.subjects.filter(
    (subject) => countAssertions(subject, program) > (checked.get(subject.number) ?? 0),
  )
  const placed = others.map((message) => ({ message, of: toModule(message, program) }))
  return new Map(
    missed.map(({ number, module }) => {
      const own = placed.find(({ message }) =>
        program.lines.get(toKey(resolve(message.file ?? ''), message.line))?.includes(number),
      )
      const doubts = placed.filter(({ message }) => DOUBTS.has(message.code))
      const why =
        own ?? doubts.find(({ of }) => of === module) ?? doubts.find(({ of }) => !isInPackage(of)) ?? doubts[0]
      return [number, why === undefined ? 'it says nothing of them' : toText(why.message, program)]
    }),
  )
}

function countAssertions({ module, reach }: NumberedSubject, { unread }: Program): number {
  if (unread.includes(module)) return 0
  return reach.kind === 'directive' ? 1 + reach.captures.length : 1
}

/** The module that people know, where a copy of it was checked. */
function toModule({ file = '' }: CompilerMessage, { copies }: Program): string {
  const path = resolve(file)
  return path.startsWith(copies) ? path.slice(copies.length) : path
}

function toText(message: CompilerMessage, program: Program): string {
  const { file, line, column, code, text } = message
  const place = file === undefined ? '' : `${toModule(message, program)}(${line},${column}): error `
  return `${place}${code}: ${text}`
}
