import type { LiftManifest } from 'turbolift/manifest'

import type { HostParser } from './ast.ts'
import { directivesOutside } from './build-problems.ts'
import type { Bundler } from './bundle/bundle.ts'
import type { HostMeta } from './bundle/host.ts'
import type { MainProgram } from './bundle/program-order.ts'
import { reportCopiedState } from './copied-state.ts'
import type { CopiedModule } from './copied-state.ts'
import { syntaxUnreadable } from './diagnostics.ts'
import { createManifest } from './embed.ts'
import type { WorkerGraph } from './explain/graph.ts'
import { writeReport } from './explain/write-report.ts'
import type { ResolvedOptions } from './options.ts'
import { programName } from './package-json.ts'
import { isInPackage } from './module-id.ts'
import { LiftedModules } from './registry.ts'
import type { LiftedModule } from './registry.ts'
import { reportModuleEffects } from './report-effects.ts'
import { reportProblems } from './report-problems.ts'
import type { ReportContext } from './report-problems.ts'
import type { SplitModule } from './split.ts'
import { workerRuntime } from './own-files.ts'
import { reportTypes } from './typecheck/report-types.ts'
import type { TypeReportContext } from './typecheck/report-types.ts'
import { buildWorkers, isSame, noWorkers, readStates, writeReadable } from './workers.ts'
import type { BuiltWorkers } from './workers.ts'

/** The parts of a plugin context that the end of a build's first half uses. */
export interface BuildContext {
  getModuleIds(): Iterable<string>
  getModuleInfo(id: string): MainModuleInfo | null
  addWatchFile(id: string): void
  readonly meta: HostMeta & { readonly watchMode: boolean }
}

interface MainModuleInfo {
  readonly code: string | null
  readonly isEntry: boolean
  readonly importedIds: readonly string[]
}

export interface FinishContext extends BuildContext, TypeReportContext, HostParser {}

/** One state of the program. */
interface Program {
  readonly entries: readonly LiftedModule[]
  readonly mainEntries: ReadonlySet<string>
  /** Lifted modules as the program's build compiled them. */
  readonly compiled: ReadonlyMap<string, string>
  /** Files that the last build of workers read, as they are on disk. */
  readonly states: ReadonlyMap<string, string>
}

/** The last workers, and what they were made from. */
interface Built extends Program {
  readonly workers: BuiltWorkers
  readonly manifest: LiftManifest
  /** By lifted module, the worker's side of it; of a build that watches. */
  readonly slices: ReadonlyMap<string, string> | undefined
}

/** What the plugin knows of one build of the program while its bundler lives: in watch mode, through many runs of it. */
export class Compiler {
  readonly options: ResolvedOptions
  readonly modules: LiftedModules
  /** Makes child builds by the host's own bundler; a server of Vite has none. */
  readonly #bundler: Bundler | undefined
  #written: Promise<unknown> | undefined
  #built: Built | undefined

  constructor(options: ResolvedOptions, root?: string, bundler?: Bundler) {
    this.options = options
    this.#bundler = bundler
    this.modules = new LiftedModules(options, root)
  }

  get root(): string {
    return this.modules.root
  }

  set root(root: string) {
    this.modules.root = root
  }

  /** The manifest of the build that `finish` ended. */
  get manifest(): LiftManifest {
    if (this.#built === undefined) throw new Error('The manifest is asked for before the end of the module graph.')
    return this.#built.manifest
  }

  /**
   * Splits a module and reports its problems; `undefined` when it has no lifted functions.
   * @throws LiftCompileError
   */
  async split(context: ReportContext & HostParser, code: string, id: string): Promise<SplitModule | undefined> {
    const split = await this.#read(context, code, id)
    await reportProblems(context, { code, id, diagnostics: split?.diagnostics ?? [] })
    this.modules.note(id, split)
    return split?.functions.length === 0 ? undefined : split
  }

  /**
   * Builds the workers of all lifted modules that are part of the program, and their manifest: nothing for a second
   * output of the same build, and no workers when what changed is the main program's alone.
   */
  async finish(context: FinishContext): Promise<void> {
    const ids = [...context.getModuleIds()]
    const codeOf = (id: string): string => context.getModuleInfo(id)?.code ?? ''
    const entries = this.modules.present(ids, (id) => codeOf(id).includes('createLiftedFunction'))
    const compiled = new Map(entries.map(({ id }) => [id, codeOf(id)]))
    const mainEntries = new Set(ids.filter((id) => context.getModuleInfo(id)?.isEntry))
    const last = this.#built
    const states = await readStates(last?.states.keys() ?? [])
    if (last === undefined || !isSame(compiled, last.compiled) || !isSame(states, last.states)) {
      this.#built = await this.#build(context, { entries, mainEntries, compiled, states })
    }
    for (const file of this.#built?.states.keys() ?? []) context.addWatchFile(file)
  }

  async #build(context: FinishContext, program: Program): Promise<Built> {
    const { options, root } = this
    const { entries, mainEntries } = program
    const kept = this.#concernsWorkers(context, program) ? undefined : this.#built
    const startMs = Date.now()
    const [workers] = await Promise.all([
      kept?.workers ?? this.#buildWorkers(entries, toMainProgram(context, mainEntries)),
      options.typecheck ? reportTypes(context, entries, root) : undefined,
    ])
    if (entries.length > 0) this.#tell(context)
    await reportCopiedState(context, this.#copiedModules(context, entries, workers.graph))
    await reportModuleEffects(context, {
      workers,
      program: toMainProgram(context, mainEntries),
      ids: context.getModuleIds(),
    })
    if (kept !== undefined) return { ...kept, ...program }
    const { files, externals, graph } = workers
    const manifest = createManifest({ program: programName(root), root, modules: entries, files, externals, options })
    if (entries.length > 0) {
      this.#written = Promise.all([
        writeReadable(root, files),
        writeReport({ root, modules: entries, graph, externals: new Set(externals.keys()), path: options.report }),
      ])
      // `written` tells what went wrong.
      this.#written.catch(() => undefined)
    }
    const [made, states] = await Promise.all([manifest, readStates(workers.watched, startMs)])
    const slices = context.meta.watchMode ? this.#slices(context, entries, workers) : undefined
    return { ...program, workers, manifest: made, states, slices }
  }

  #tell(context: FinishContext): void {
    const { problem } = this.#bundler ?? {}
    const messages = [...(problem === undefined ? [] : [problem]), ...directivesOutside(context)]
    for (const message of messages) context.warn({ message })
  }

  async #buildWorkers(entries: readonly LiftedModule[], program: MainProgram): Promise<BuiltWorkers> {
    const { modules, options } = this
    const bundler = this.#bundler
    if (entries.length === 0) return noWorkers()
    if (bundler === undefined) throw new Error('Only a build makes files of workers.')
    return buildWorkers({
      modules,
      entries,
      program,
      workerRuntime: workerRuntime(),
      external: options.external,
      bundler,
    })
  }

  /** Whether something changed that the workers are made from: of lifted modules, only their side of them. */
  #concernsWorkers(context: HostParser, { entries, mainEntries, states }: Program): boolean {
    const last = this.#built
    if (last?.slices === undefined || [...mainEntries].join() !== [...last.mainEntries].join()) return true
    const ofOthers = (all: ReadonlyMap<string, string>) => new Map([...all].filter(([id]) => !last.slices?.has(id)))
    const slices = this.#slices(context, entries, last.workers)
    return !isSame(slices, last.slices) || !isSame(ofOthers(states), ofOthers(last.states))
  }

  #slices(
    context: HostParser,
    entries: readonly LiftedModule[],
    { shared }: BuiltWorkers,
  ): ReadonlyMap<string, string> {
    return new Map(entries.map((entry) => [entry.id, this.modules.slice(entry, context, shared.of(entry.id))]))
  }

  /** Waits for the files for people, which are written while the bundler makes its chunks. */
  async written(): Promise<void> {
    await this.#written
  }

  /** Modules of the project that are in the program and in workers, without those that are split. */
  #copiedModules(context: BuildContext, entries: readonly LiftedModule[], graph: WorkerGraph): CopiedModule[] {
    const split = new Set(entries.map(({ id }) => id))
    return [...context.getModuleIds()].flatMap((id) => {
      const workerCode = graph.get(id)?.code ?? ''
      const isOther = split.has(id) || id.startsWith('\0') || isInPackage(id)
      return workerCode === '' || isOther ? [] : [{ id, workerCode }]
    })
  }

  async #read(context: ReportContext & HostParser, code: string, id: string): Promise<SplitModule | undefined> {
    try {
      return this.modules.split({ code, id, parser: context })
    } catch (error) {
      if (!(error instanceof SyntaxError) || !('pos' in error)) throw error
      const at = { start: Number(error.pos), end: Number(error.pos) }
      await reportProblems(context, { code, id, diagnostics: [syntaxUnreadable(error.message, at)] })
      return undefined
    }
  }
}

function toMainProgram(context: BuildContext, entries: ReadonlySet<string>): MainProgram {
  const infoOf = (id: string) => context.getModuleInfo(id)
  return { entries, importsOf: (id) => infoOf(id)?.importedIds, codeOf: (id) => infoOf(id)?.code ?? '' }
}
