import type { TextRange } from '../ast.ts'
import { readSource } from '../module-id.ts'
import { checkProgram } from './check-program.ts'
import type { ProgramResult } from './check-program.ts'
import type { NumberedSubject } from './assertions.ts'
import type { TypeFinding } from './findings.ts'
import { findLiftedInSource } from './lifted-in-source.ts'
import type { ParseTypeScript } from './lifted-in-source.ts'
import { createProjectFinder } from './projects.ts'
import type { Project } from './projects.ts'
import { isTypeScript } from './subject.ts'
import type { TypecheckSubject } from './subject.ts'
import { findTsc } from './tsc.ts'
import type { Tsc } from './tsc.ts'

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

/** A lifted function whose signature the compiler could not tell. */
export interface UncheckedFunction {
  readonly subject: TypecheckSubject
  readonly reason: string
  readonly at: TextRange
  readonly source: string
}

export interface TypecheckResult {
  readonly problems: readonly TypeProblem[]
  readonly unchecked: readonly UncheckedFunction[]
  /** What else could not be checked, or not as the configuration says, and why. */
  readonly warnings: readonly string[]
  /** What nobody expects to be checked. */
  readonly notes: readonly string[]
}

export interface TypecheckOptions {
  readonly root: string
  /** The user's configuration; default the one that each module belongs to. */
  readonly tsconfig?: string | undefined
  /** Reads what acorn's plugin cannot. */
  readonly parse?: ParseTypeScript | undefined
  readonly signal?: AbortSignal | undefined
}

const NOTHING: TypecheckResult = { problems: [], unchecked: [], warnings: [], notes: [] }

/**
 * Checks by the project's own TypeScript that parameters and results of lifted functions can be sent.
 * Writes generated programs to `node_modules/.turbolift/types/`, with the compiler's state for the next check.
 */
export async function checkTypes(
  subjects: readonly TypecheckSubject[],
  options: TypecheckOptions,
): Promise<TypecheckResult> {
  const all = subjects.map((subject, number) => ({ ...subject, number })).filter(({ module }) => isTypeScript(module))
  if (all.length === 0) return NOTHING
  const tsc = findTsc(options.root)
  if (tsc === undefined)
    return { ...NOTHING, notes: ['Types of lifted functions were not checked: no "typescript" in this project.'] }

  const sources = await readSources(all)
  const numbered = all.filter(({ module }) => sources.has(module))
  const results: TypecheckResult[] = []
  for (const group of groupByProject(numbered, options)) {
    results.push(await checkGroup(group, { subjects, sources, options, tsc }))
  }
  return {
    problems: results.flatMap(({ problems }) => problems),
    unchecked: results.flatMap(({ unchecked }) => unchecked),
    warnings: results.flatMap(({ warnings }) => warnings),
    notes: [],
  }
}

async function readSources(subjects: readonly NumberedSubject[]): Promise<ReadonlyMap<string, string>> {
  const modules = [...new Set(subjects.map(({ module }) => module))]
  const read = await Promise.all(modules.map(async (module) => ({ module, source: await readSource(module) })))
  // Modules of other plugins have no file.
  return new Map(read.flatMap(({ module, source }) => (source === undefined ? [] : [[module, source]])))
}

/** Functions of modules that are checked by the same configuration. */
interface Group {
  readonly project: Project | undefined
  readonly problem: string | undefined
  readonly subjects: readonly NumberedSubject[]
}

function groupByProject(subjects: readonly NumberedSubject[], { tsconfig }: TypecheckOptions): readonly Group[] {
  const find = createProjectFinder(tsconfig)
  const groups = new Map<string, Group>()
  for (const subject of subjects) {
    const { project, problem } = find(subject.module)
    const key = project?.path ?? problem ?? ''
    const known = groups.get(key) ?? { project, problem, subjects: [] }
    groups.set(key, { ...known, subjects: [...known.subjects, subject] })
  }
  return [...groups.values()]
}

interface Checked {
  readonly subjects: readonly TypecheckSubject[]
  readonly sources: ReadonlyMap<string, string>
  readonly options: TypecheckOptions
  readonly tsc: Tsc
}

async function checkGroup({ project, problem, subjects }: Group, checked: Checked): Promise<TypecheckResult> {
  const { sources, options, tsc } = checked
  const result = await checkProgram({ subjects, sources, project, tsc, ...options })
  const unread = problem === undefined ? [] : [`The project's configuration was not used: ${problem}`]
  return {
    problems: result.findings.flatMap((finding) => toProblem(finding, checked)),
    unchecked: toUnchecked(result, checked),
    warnings: [...unread, ...result.warnings],
    notes: [],
  }
}

function toProblem({ subject: number, ...finding }: TypeFinding, checked: Checked): readonly TypeProblem[] {
  const place = toPlace(number, checked)
  return place === undefined ? [] : [{ ...place, ...finding }]
}

function toUnchecked({ unchecked }: ProgramResult, checked: Checked): readonly UncheckedFunction[] {
  return [...unchecked].flatMap(([number, reason]) => {
    const place = toPlace(number, checked)
    return place === undefined ? [] : [{ ...place, reason }]
  })
}

function toPlace(number: number, { subjects, sources, options }: Checked) {
  const subject = subjects[number]
  if (subject === undefined) return undefined
  const source = sources.get(subject.module) ?? ''
  return { subject, source, at: findFunction(subject, source, options.parse) }
}

/** The directive of the function, or the declaration of its name. */
function findFunction(
  { id, module, reach }: TypecheckSubject,
  source: string,
  parse: ParseTypeScript | undefined,
): TextRange {
  const found =
    reach.kind === 'directive' ? findLiftedInSource(source, module, parse)?.[reach.ordinal]?.directive : undefined
  if (found !== undefined) return found
  const name = reach.kind === 'export' && reach.name === 'default' ? 'default' : (id.split(/[#.]/).at(-1) ?? '')
  const declared = String.raw`\b(?:function\s*\*?|const|let|var|export)\s+${name.replaceAll('$', String.raw`\$`)}\b`
  const start = Math.max(source.search(new RegExp(declared)), 0)
  return { start, end: start + 1 }
}
