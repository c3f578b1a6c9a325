import type { HostParser } from './ast.ts'
import type { HostMeta } from './bundle/host.ts'
import type { PlannedModule } from './bundle/plan.ts'
import type { MainProgram } from './bundle/program-order.ts'
import { toJavaScript } from './bundle/strip-plugin.ts'
import { toSource } from './source.ts'
import { describe } from './diagnostics.ts'
import { moduleLeftMain, moduleRunsInWorkers, setUpLeftOut } from './state-diagnostics.ts'
import type { Diagnostic } from './diagnostics.ts'
import { startOfComments } from './edit.ts'
import type { TextRange } from './ast.ts'
import { readModuleEffects } from './effects/module-effects.ts'
import type { ImportChange } from './effects/module-effects.ts'
import { holdsMark } from './marks.ts'
import { cleanId, isInPackage, readSource } from './module-id.ts'
import { isOwnFile } from './own-files.ts'
import type { BuiltWorkers } from './workers.ts'

interface Context extends HostParser {
  readonly meta: HostMeta
  warn(message: { readonly message: string; readonly id: string }): void
}

interface Program {
  readonly workers: BuiltWorkers
  readonly program: MainProgram
  readonly ids: Iterable<string>
}

/**
 * Warns of what whole modules do at their top level: in workers alone, in workers too, or in the main program alone
 * with a module that workers use.
 */
export async function reportModuleEffects(context: Context, { workers, program, ids }: Program): Promise<void> {
  const { planned, graph, lifted } = workers
  const mainIds = [...ids].filter((id) => !isInPackage(id) && !isOwnFile(id) && !id.startsWith('\0'))
  for (const [id, module] of planned) {
    const isLoaded = graph.get(id)?.code !== ''
    if (lifted.has(id) || !isLoaded || isOwnFile(id)) continue
    const problem = findRunProblem(id, module, { program, mainIds })
    if (problem !== undefined) await warn(context, id, problem)
  }
  for (const id of mainIds) {
    for (const change of await findLeftOut(context, id, { workers, program })) {
      await warn(context, id, { text: change.text, make: (at) => setUpLeftOut(change.name, at) })
    }
  }
}

interface Problem {
  /** The statement as it is compiled. */
  readonly text: string
  readonly make: (at: TextRange) => Diagnostic
}

interface Main {
  readonly program: MainProgram
  readonly mainIds: readonly string[]
}

function findRunProblem(id: string, { effects }: PlannedModule, { program, mainIds }: Main): Problem | undefined {
  if (effects === undefined) return undefined
  const { seen, globals } = effects
  const isInMain = program.importsOf(id) !== undefined
  if (isInMain) return seen === undefined ? undefined : { text: seen, make: (at) => moduleRunsInWorkers(seen, at) }
  const isRead = (name: string): boolean => mainIds.some((one) => program.codeOf(one).includes(name))
  const text = seen ?? globals.find(isRead)
  return text === undefined ? undefined : { text, make: (at) => moduleLeftMain(text, at) }
}

/** What a module of the main program sets up in one that workers load, and that they load without it. */
async function findLeftOut(
  context: Context,
  id: string,
  { workers, program }: { readonly workers: BuiltWorkers; readonly program: MainProgram },
): Promise<ImportChange[]> {
  const { planned, lifted } = workers
  if (planned.has(id) && !lifted.has(id)) return []
  const shared = (program.importsOf(id) ?? []).filter((one) => planned.has(one) && !lifted.has(one))
  if (shared.length === 0) return []
  const code = await toJavaScript({ id, code: program.codeOf(id) }, context.meta)
  const { changes = [] } = readModuleEffects(code, context) ?? {}
  const inWorker = new Set((planned.get(id)?.effects?.changes ?? []).map(({ text }) => text))
  const found = changes.filter(
    ({ source, text }) => !inWorker.has(text) && shared.some((one) => isNamedBy(one, source)),
  )
  return found.filter(({ text }, index) => found.findIndex((one) => one.text === text) === index)
}

/** Whether a module may be the one that an import names: its path ends so. */
function isNamedBy(id: string, source: string): boolean {
  const path = cleanId(id).replaceAll('\\', '/')
  const name = source.replace(/^(?:\.\.?\/|[~@#]\/)+/, '').replace(/\.[cm]?[jt]sx?$/, '')
  return path.includes(`/${name}.`) || path.includes(`/${name}/`)
}

async function warn(context: Context, id: string, { text, make }: Problem): Promise<void> {
  const source = await readSource(id)
  if (source === undefined) return
  const at = findPlace(source, text)
  if (holdsMark(source.slice(startOfComments(source, at), at))) return
  context.warn({ message: describe(make({ start: at, end: at + text.length }), toSource(id, source)), id })
}

/** Where a statement stands in its source, by what compilers leave as it is: what comes before the first quote. */
function findPlace(source: string, text: string): number {
  const [start = ''] = /^[^'"`;{(]*[({]?/.exec(text) ?? []
  return Math.max(0, start.length < 3 ? 0 : source.indexOf(start))
}
