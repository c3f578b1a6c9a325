import { LiftCompileError, describe } from './diagnostics.ts'
import { toSource } from './source.ts'
import type { Diagnostic } from './diagnostics.ts'
import type { Source } from './source.ts'
import { locateOriginal } from './original.ts'
import type { SourceMapLike } from './original.ts'
import { readSource } from './module-id.ts'

/** What is needed of a transform's plugin context to report problems. */
export interface ReportContext {
  warn(message: { readonly message: string; readonly id?: string }): void
  getCombinedSourcemap?(): SourceMapLike
}

/**
 * Warns of a module's warnings and throws all its errors as one.
 * @throws LiftCompileError
 */
export async function reportProblems(
  context: ReportContext,
  {
    code,
    id,
    diagnostics,
  }: { readonly code: string; readonly id: string; readonly diagnostics: readonly Diagnostic[] },
): Promise<void> {
  if (diagnostics.length === 0) return
  const source = await findSource(context, code, id)
  for (const one of diagnostics) {
    if (one.severity === 'warning') context.warn({ message: describe(one, source), id })
  }
  const [first, ...others] = diagnostics.filter(({ severity }) => severity === 'error')
  if (first !== undefined) throw new LiftCompileError([first, ...others], source)
}

async function findSource(context: ReportContext, code: string, id: string): Promise<Source> {
  const compiled = toSource(id, code)
  const text = await readSource(id)
  const map = context.getCombinedSourcemap?.()
  if (text === undefined || map === undefined || text === code) return compiled
  return { file: id, text, locate: (offset) => locateOriginal(map, compiled.locate(offset)) }
}
