import { fileURLToPath } from 'node:url'

import type { LiftManifest } from 'turbolift/manifest'

import type { HostParser } from './ast.ts'
import type { Bundle } from './bundle/bundle.ts'
import { reportCopiedState } from './copied-state.ts'
import type { CopiedModule } from './copied-state.ts'
import { syntaxUnreadable } from './diagnostics.ts'
import { createManifest } from './embed.ts'
import type { WorkerGraph } from './explain/graph.ts'
import { writeReport } from './explain/write-report.ts'
import type { ResolvedOptions } from './options.ts'
import { programName } from './package-json.ts'
import { RUNTIME_MODULE } from './proxy.ts'
import { LiftedModules, isInPackage } from './registry.ts'
import type { LiftedModule } from './registry.ts'
import { reportProblems } from './report-problems.ts'
import type { ReportContext } from './report-problems.ts'
import type { SplitModule } from './split.ts'
import { reportTypes } from './typecheck/report-types.ts'
import type { TypeReportContext } from './typecheck/report-types.ts'
import { buildWorkers, fingerprint, writeReadable } from './workers.ts'

/** The parts of a plugin context that the end of a build's first half uses. */
export interface BuildContext {
  getModuleIds(): Iterable<string>
  getModuleInfo(id: string): { readonly code: string | null; readonly isEntry: boolean } | null
  addWatchFile(id: string): void
}

export interface FinishContext extends BuildContext, TypeReportContext, HostParser {}

/** What one build of workers gave; their files are still being compressed. */
interface Built {
  readonly watched: ReadonlySet<string>
  readonly manifest: Promise<LiftManifest>
}

/** What the plugin knows while a bundler lives: in watch mode, through many builds. */
export class Compiler {
  readonly options: ResolvedOptions
  readonly modules: LiftedModules
  /** Makes child builds by the host's own bundler; set when the host has told its configuration. */
  bundle: Bundle | undefined
  #manifest: LiftManifest | undefined
  #written: Promise<unknown> | undefined
  #built: { readonly key: string; readonly watched: ReadonlySet<string> } | undefined

  constructor(options: ResolvedOptions) {
    this.options = options
    this.modules = new LiftedModules(options)
  }

  get root(): string {
    return this.modules.root
  }

  set root(root: string) {
    this.modules.root = root
  }

  /** The manifest of the build that `finish` ended. */
  get manifest(): LiftManifest {
    if (this.#manifest === undefined) throw new Error('The manifest is asked for before the end of the module graph.')
    return this.#manifest
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

  /** Builds the workers of all lifted modules that are part of the program, and their manifest. */
  async finish(context: FinishContext): Promise<void> {
    const ids = [...context.getModuleIds()]
    const codeOf = (id: string): string => context.getModuleInfo(id)?.code ?? ''
    const entries = this.modules.present(ids, (id) => codeOf(id).includes('createLiftedFunction'))
    const key = await this.#fingerprint(entries, codeOf)
    if (key !== this.#built?.key) {
      const mainEntries = new Set(ids.filter((id) => context.getModuleInfo(id)?.isEntry))
      const { watched, manifest } = await this.#build(context, entries, mainEntries)
      const [made, built] = await Promise.all([manifest, this.#fingerprint(entries, codeOf, watched)])
      this.#manifest = made
      this.#built = { key: built, watched }
    }
    for (const file of this.#built?.watched ?? []) context.addWatchFile(file)
  }

  async #build(
    context: FinishContext,
    entries: readonly LiftedModule[],
    mainEntries: ReadonlySet<string>,
  ): Promise<Built> {
    const { bundle, modules, options, root } = this
    const program = programName(root)
    if (entries.length === 0) {
      const manifest = createManifest({ program, modules: entries, files: [], externals: [], options })
      return { watched: new Set(), manifest }
    }
    if (bundle === undefined) throw new Error('The bundler ended its module graph before it told its configuration.')
    const [workers] = await Promise.all([
      buildWorkers({ modules, entries, mainEntries, workerRuntime: workerRuntime(), bundle }),
      options.typecheck ? reportTypes(context, entries, root) : undefined,
    ])
    const { files, externals, graph, watched } = workers
    await reportCopiedState(context, this.#copiedModules(context, entries, graph))
    const manifest = createManifest({ program, modules: entries, files, externals, options })
    this.#written = Promise.all([
      writeReadable(root, files),
      writeReport({ root, modules: entries, graph, externals, path: options.report }),
    ])
    // `written` tells what went wrong.
    this.#written.catch(() => undefined)
    return { watched, manifest }
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

  /** Of everything that the workers are made from, so that a second output of the same build builds nothing. */
  async #fingerprint(
    entries: readonly LiftedModule[],
    codeOf: (id: string) => string,
    watched: ReadonlySet<string> = this.#built?.watched ?? new Set(),
  ): Promise<string> {
    return fingerprint(
      entries.map(({ id }) => [id, codeOf(id)]),
      watched,
    )
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

/** Where this package finds the runtime, for projects that do not list it themselves. */
export function ownRuntime(): string {
  return fileURLToPath(import.meta.resolve(RUNTIME_MODULE))
}

/** What `turbolift` is inside of workers. */
export function workerRuntime(): string {
  return fileURLToPath(import.meta.resolve('turbolift/worker'))
}
