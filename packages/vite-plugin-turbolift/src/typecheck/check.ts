import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import type { TextRange } from '../ast.ts'
import { readSource } from '../registry.ts'
import { ambientTypes } from './ambient.ts'
import { assertInPlace, exportAssertions } from './assertions.ts'
import type { NumberedSubject } from './assertions.ts'
import { parseCheckerOutput } from './findings.ts'
import type { TypeFinding } from './findings.ts'
import { findLiftedInSource } from './lifted-in-source.ts'
import { isTypeScript } from './subject.ts'
import type { TypecheckSubject } from './subject.ts'
import { findTsc, runTsc } from './tsc.ts'
import { findTsconfig, toCopyPath, toTsconfig } from './tsconfig.ts'

/** A value in a lifted function's signature that cannot be sent. */
export interface TypeProblem {
  readonly subject: TypecheckSubject
  /** `parameter 0.options.onDone is a function` */
  readonly problem: string
  /** False where only some values of the type cannot be sent. */
  readonly isCertain: boolean
  /** Where the function stands in its TypeScript source. */
  readonly at: TextRange
  readonly source: string
}

export interface TypecheckResult {
  readonly problems: readonly TypeProblem[]
  /** What could not be checked, and why. */
  readonly notes: readonly string[]
}

export interface TypecheckOptions {
  readonly root: string
  /** The user's configuration; default the nearest `tsconfig.json`. */
  readonly tsconfig?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Checks by the project's own TypeScript that parameters and results of lifted functions can be sent.
 * Writes a generated program to `node_modules/.turbolift/types/`, with the compiler's state for the next check.
 */
export async function checkTypes(
  subjects: readonly TypecheckSubject[],
  options: TypecheckOptions,
): Promise<TypecheckResult> {
  const all = subjects.map((subject, number) => ({ ...subject, number })).filter(({ module }) => isTypeScript(module))
  if (all.length === 0) return { problems: [], notes: [] }
  const tsc = findTsc(options.root)
  if (tsc === undefined)
    return { problems: [], notes: ['Types of lifted functions were not checked: no "typescript" in this project.'] }

  const sources = await readSources(all)
  const numbered = all.filter(({ module }) => sources.has(module))
  const program = await writeProgram(numbered, { sources, options, keepsState: tsc.keepsState })
  const output = parseCheckerOutput(await runTsc(tsc, program.tsconfig, options))
  const problems = output.findings.flatMap((finding) => toProblem(finding, { subjects, sources }))
  if (output.isComplete) return { problems, notes: program.notes }
  const reason = output.otherMessage ?? 'tsc printed nothing that can be read'
  return { problems, notes: [...program.notes, `Types of lifted functions were not checked: ${reason}`] }
}

async function readSources(subjects: readonly NumberedSubject[]): Promise<ReadonlyMap<string, string>> {
  const modules = [...new Set(subjects.map(({ module }) => module))]
  const read = await Promise.all(modules.map(async (module) => ({ module, source: await readSource(module) })))
  // Modules of other plugins have no file.
  return new Map(read.flatMap(({ module, source }) => (source === undefined ? [] : [[module, source]])))
}

interface ProgramInput {
  readonly sources: ReadonlyMap<string, string>
  readonly options: TypecheckOptions
  readonly keepsState: boolean
}

async function writeProgram(subjects: readonly NumberedSubject[], { sources, options, keepsState }: ProgramInput) {
  const folder = join(options.root, 'node_modules/.turbolift/types')
  const copies = join(folder, 'copies')
  const ambient = join(folder, 'turbolift.d.ts')
  const exported = join(folder, 'exported.mts')
  const texts = new Map([
    [ambient, ambientTypes],
    [exported, exportAssertions(subjects, exported)],
  ])
  const notes: string[] = []
  for (const [module, source] of sources) {
    const inside = subjects.filter((subject) => subject.module === module && subject.reach.kind === 'directive')
    if (inside.length === 0) continue
    const copy = assertInPlace(source, inside)
    if (copy === undefined)
      notes.push(`Types of lifted functions in ${module} were not checked: the source could not be read.`)
    else texts.set(toCopyPath(copies, module), copy)
  }
  const base = options.tsconfig ?? findTsconfig(options.root)
  const files = [...texts.keys()]
  const tsconfig = join(folder, 'tsconfig.json')
  texts.set(
    tsconfig,
    `${JSON.stringify(toTsconfig({ root: options.root, base, copies, files, keepsState }), null, 2)}\n`,
  )
  await Promise.all([...texts].map(([path, text]) => writeText(path, text)))
  return { tsconfig, notes }
}

async function writeText(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}

interface Checked {
  readonly subjects: readonly TypecheckSubject[]
  readonly sources: ReadonlyMap<string, string>
}

function toProblem(
  { subject: number, problem, isCertain }: TypeFinding,
  { subjects, sources }: Checked,
): readonly TypeProblem[] {
  const subject = subjects[number]
  if (subject === undefined) return []
  const source = sources.get(subject.module) ?? ''
  return [{ subject, problem, isCertain, at: findFunction(subject, source), source }]
}

/** The directive of the function, or the declaration of its name. */
function findFunction({ id, module, reach }: TypecheckSubject, source: string): TextRange {
  const found = reach.kind === 'directive' ? findLiftedInSource(source, module)?.[reach.ordinal]?.directive : undefined
  if (found !== undefined) return found
  const name = reach.kind === 'export' && reach.name === 'default' ? 'default' : (id.split(/[#.]/).at(-1) ?? '')
  const declared = String.raw`\b(?:function\s*\*?|const|let|var|export)\s+${name.replaceAll('$', String.raw`\$`)}\b`
  const start = Math.max(source.search(new RegExp(declared)), 0)
  return { start, end: start + 1 }
}
