import { parseModule } from './ast.ts'
import type { HostParser, ParsedModule } from './ast.ts'
import { toSource } from './source.ts'
import { describe } from './diagnostics.ts'
import { moduleStateCopied } from './state-diagnostics.ts'
import { readSource } from './module-id.ts'
import { analyzeScopes } from './scope.ts'
import { findChangedState } from './shared-state.ts'

/** A module that the main program and workers both import as it is. */
export interface CopiedModule {
  readonly id: string
  /** What is left of it in the workers' chunks. */
  readonly workerCode: string
}

/** A comment in a module that says that each side may have state of its own. */
const OWN_COPY_COMMENT = '@turbolift-own-copy'

/** Warns of modules whose functions change state of which the main program and each worker have a copy of their own. */
export async function reportCopiedState(
  context: HostParser & { warn(message: { readonly message: string; readonly id: string }): void },
  modules: readonly CopiedModule[],
): Promise<void> {
  for (const { id, workerCode } of modules) {
    const changed = findChangedNames(workerCode, context)
    const text = changed.length === 0 ? undefined : await readSource(id)
    if (text === undefined || text.includes(OWN_COPY_COMMENT)) continue
    // The source is not what the bundler compiled: that has names of its own too, and others with a number behind.
    const names = changed.map((name) => name.replace(/\$\d+$/, '')).filter((name) => holdsName(text, name))
    const [first] = names
    if (first === undefined) continue
    const at = Math.max(0, text.search(new RegExp(String.raw`(?<=\b(?:let|var|const)\s+)${escape(first)}\b`)))
    const problem = moduleStateCopied(names, { start: at, end: at + first.length })
    context.warn({ message: describe(problem, toSource(id, text)), id })
  }
}

function findChangedNames(code: string, host: HostParser): string[] {
  const module = parseFragment(code, host)
  return module === undefined
    ? []
    : findChangedState(module, analyzeScopes(module.ast)).map(({ binding }) => binding.name)
}

function holdsName(text: string, name: string): boolean {
  return new RegExp(String.raw`(?<![\w$])${escape(name)}(?![\w$])`).test(text)
}

/** What a bundler leaves of a module in a chunk need not be JavaScript by itself; then nothing is known of it. */
function parseFragment(code: string, host: HostParser): ParsedModule | undefined {
  try {
    return parseModule(code, host)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function escape(name: string): string {
  return name.replaceAll('$', String.raw`\$`)
}
