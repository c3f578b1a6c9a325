import { parseLiftId, toLiftId } from 'turbolift/manifest'

import type { HostParser } from '../ast.ts'
import { LiftCompileError, describe, explainUnchecked, typeNotSendable, typeUnchecked } from '../diagnostics.ts'
import { toSource } from '../source.ts'
import type { Diagnostic } from '../diagnostics.ts'
import type { LiftedModule } from '../registry.ts'
import { cleanId } from '../module-id.ts'
import { checkTypes } from './check.ts'
import type { TypeProblem } from './check.ts'
import type { ParseTypeScript } from './lifted-in-source.ts'
import type { TypecheckSubject } from './subject.ts'

/** What is needed of a plugin context to tell what the check found. */
export interface TypeReportContext extends HostParser {
  warn(message: { readonly message: string; readonly id?: string }): void
  info(message: string): void
}

/**
 * Checks the types of lifted functions, warns of values that may not be sendable, and tells what could not be checked.
 * @throws LiftCompileError `TYPE_NOT_SENDABLE`, with all problems
 */
export async function reportTypes(
  context: TypeReportContext,
  modules: readonly LiftedModule[],
  root: string,
): Promise<void> {
  const parse: ParseTypeScript | undefined =
    context.parse === undefined ? undefined : (code, options) => context.parse?.(code, options) ?? {}
  const { problems, unchecked, warnings, notes } = await checkTypes(modules.flatMap(toSubjects), { root, parse })
  for (const note of notes) context.info(note)
  for (const warning of warnings) context.warn({ message: explainUnchecked(warning) })
  for (const { subject, reason, at, source } of unchecked) {
    const diagnostic = typeUnchecked({ name: toName(subject), reason }, at)
    context.warn({ message: describe(diagnostic, toSource(subject.module, source)), id: subject.module })
  }
  const errors = [...groupByModule(problems)].flatMap(([file, found]) => {
    const source = toSource(file, found[0]?.source ?? '')
    const diagnostics = firstOfEach(found).map(toDiagnostic)
    for (const one of diagnostics) {
      if (one.severity === 'warning') context.warn({ message: describe(one, source), id: file })
    }
    const [first, ...others] = diagnostics.filter(({ severity }) => severity === 'error')
    return first === undefined ? [] : [new LiftCompileError([first, ...others], source)]
  })
  const [first, ...others] = errors
  if (first === undefined) return
  first.message = [first, ...others].map(({ message }) => message).join('\n\n')
  throw first
}

/** How many problems of one function are told one by one: a type of a thousand properties may have as many. */
const TOLD = 5

/** Errors before warnings, and of each function the first ones, the last of which says how many more there are. */
function firstOfEach(problems: readonly TypeProblem[]): readonly TypeProblem[] {
  const groups = new Map<string, TypeProblem[]>()
  for (const problem of problems.toSorted((a, b) => Number(b.isCertain) - Number(a.isCertain))) {
    const { id } = problem.subject
    groups.set(id, [...(groups.get(id) ?? []), problem])
  }
  return [...groups.values()].flatMap((all) => {
    const last = all[TOLD - 1]
    if (all.length <= TOLD || last === undefined) return all
    return [...all.slice(0, TOLD - 1), { ...last, problem: `${last.problem} (and ${all.length - TOLD} more problems)` }]
  })
}

function toName({ id }: TypecheckSubject): string {
  return parseLiftId(id).path
}

function toSubjects(module: LiftedModule): readonly TypecheckSubject[] {
  const { id, path, functions } = module
  if (id.startsWith('\0') || id !== cleanId(id)) return []
  const reaches = module.reaches()
  return functions.flatMap((fn) => {
    const reach = reaches.get(fn)
    return reach === undefined ? [] : [{ id: toLiftId({ module: path, path: fn.path }), module: id, reach }]
  })
}

function groupByModule(problems: readonly TypeProblem[]): ReadonlyMap<string, readonly TypeProblem[]> {
  const groups = new Map<string, TypeProblem[]>()
  for (const problem of problems) {
    const { module } = problem.subject
    groups.set(module, [...(groups.get(module) ?? []), problem])
  }
  return groups
}

function toDiagnostic({ subject, problem, isCertain, at }: TypeProblem): Diagnostic {
  return typeNotSendable({ name: toName(subject), problem, isCertain }, at)
}
