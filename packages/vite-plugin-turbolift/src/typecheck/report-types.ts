import { LiftCompileError, describe, toSource, typeNotSendable } from '../diagnostics.ts'
import type { Diagnostic } from '../diagnostics.ts'
import type { LiftedModule } from '../registry.ts'
import { cleanId } from '../registry.ts'
import { checkTypes } from './check.ts'
import type { TypeProblem } from './check.ts'
import type { TypecheckSubject } from './subject.ts'

/** What is needed of a plugin context to tell what the check found. */
export interface TypeReportContext {
  warn(message: { readonly message: string; readonly id: string }): void
  info(message: string): void
}

/**
 * Checks the types of lifted functions, warns of values that may not be sendable, and notes what could not be checked.
 * @throws LiftCompileError `TYPE_NOT_SENDABLE`, with all problems
 */
export async function reportTypes(
  context: TypeReportContext,
  modules: readonly LiftedModule[],
  root: string,
): Promise<void> {
  const { problems, notes } = await checkTypes(modules.flatMap(toSubjects), { root })
  for (const note of notes) context.info(note)
  const errors = [...groupByModule(problems)].flatMap(([file, found]) => {
    const source = toSource(file, found[0]?.source ?? '')
    const diagnostics = found.map(toDiagnostic)
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

function toSubjects(module: LiftedModule): readonly TypecheckSubject[] {
  const { id, path, functions } = module
  if (id.startsWith('\0') || id !== cleanId(id)) return []
  const reaches = module.reaches()
  return functions.flatMap((fn) => {
    const reach = reaches.get(fn)
    return reach === undefined ? [] : [{ id: `${path}#${fn.path}`, module: id, reach }]
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
  return typeNotSendable({ name: subject.id.split('#').at(-1) ?? '', problem, isCertain }, at)
}
