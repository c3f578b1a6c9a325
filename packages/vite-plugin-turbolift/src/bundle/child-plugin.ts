import { isBuiltin } from 'node:module'

import { toLiftId } from 'turbolift/manifest'

import type { HostParser } from '../ast.ts'
import { toTransformHooks } from '../filters.ts'
import type { TransformHook } from '../filters.ts'
import { isInPackage } from '../module-id.ts'
import type { LiftedModule, LiftedModules } from '../registry.ts'
import { liftedExportOf } from '../lifted-export.ts'
import type { WorkerModule } from '../explain/graph.ts'
import { readModuleEffects } from '../effects/module-effects.ts'
import type { ModuleEffects } from '../effects/module-effects.ts'
import type { HostMeta } from './host.ts'
import { narrowJsonImports } from './json-imports.ts'
import type { PlannedModule, WorkerPlan } from './plan.ts'
import type { MainProgram } from './program-order.ts'
import type { SharedExports } from './shared-exports.ts'
import { toJavaScript } from './strip-plugin.ts'
import type { PlainModule } from './strip-plugin.ts'
import type { IsOutside } from './externals.ts'
import { folderOf, isNativePackage, packageNameOf } from './native.ts'

export const CHILD_PLUGIN_NAME = 'turbolift:worker'
const FUNCTIONS_MODULE = 'virtual:turbolift/functions'
const RESOLVED_FUNCTIONS = `\0${FUNCTIONS_MODULE}`
/** Before the index of a lifted module: what loads it after others. */
const SEQUENCE = 'virtual:turbolift/sequence/'

/** What one child build is to do, and what it found out. */
export interface ChildBuild {
  readonly modules: LiftedModules
  readonly entries: readonly LiftedModule[]
  /** Ids of the main program's entries, which no worker may load. */
  readonly mainEntries: ReadonlySet<string>
  readonly shared: SharedExports
  readonly plan: WorkerPlan
  readonly program: MainProgram
  /** Whether an import is to stay outside. */
  readonly isOutside: IsOutside
  /** Packages that do, by it or since they have native code, and the folders where they are installed. */
  readonly externals: Map<string, string | undefined>
  /** Path of the file that stands for `turbolift` in workers. */
  readonly workerRuntime: string
  readonly graph: Map<string, WorkerModule>
  /** What is known of the project's modules among them. */
  readonly planned: Map<string, PlannedModule>
  /** Files that were read. */
  readonly watched: Set<string>
  onEntryReached(chain: readonly string[]): never
}

/** The parts of a bundler's plugin context that the plugin uses; the same in Vite, Rollup and rolldown. */
interface ChildContext extends HostParser, Resolver {
  readonly meta: HostMeta
  getModuleIds(): Iterable<string>
  getModuleInfo(id: string): ModuleInfo | null
}

/** What hosts tell of an import, and their other plugins want to hear: whether it is a `require`, and more. */
export interface ResolveOptions {
  readonly custom?: object
}

/** A plugin context that asks the host's other plugins how an import is resolved. */
export interface Resolver {
  resolve(
    source: string,
    importer: string | undefined,
    options: ResolveOptions & { skipSelf: boolean },
  ): Promise<{ readonly id: string; readonly external?: unknown } | null>
}

interface ModuleInfo {
  readonly code: string | null
  readonly importers: readonly string[]
  readonly dynamicImporters: readonly string[]
  readonly importedIds: readonly string[]
  readonly dynamicallyImportedIds: readonly string[]
}

export interface ChildPlugin {
  readonly name: string
  /** In front of the host's own resolver, which would leave nothing to see. */
  readonly resolveId: {
    readonly order: 'pre'
    handler(
      this: ChildContext,
      source: string,
      importer: string | undefined,
      options: ResolveOptions,
    ): Promise<ResolveResult>
  }
  readonly load: { readonly filter: { readonly id: RegExp[] }; handler(id: string): string | null }
  readonly transform: TransformHook<ChildContext, TransformResult>
  buildEnd(this: ChildContext, error?: Error): Promise<void>
  generateBundle(options: unknown, bundle: Readonly<Record<string, OutputChunkLike>>): void
}

/** The same for modules that are lifted by their name. */
export type LiftModulesPlugin = Pick<ChildPlugin, 'name' | 'transform'>

/** The modules of a chunk, each with the code that is left of it. */
interface OutputChunkLike {
  readonly modules?: Readonly<Record<string, { readonly code: string | null }>>
}

type ResolveResult =
  | string
  | null
  | { readonly id: string; readonly external: true }
  | { readonly id: string; readonly moduleSideEffects: false }
type TransformResult = {
  readonly code: string
  readonly map: { readonly mappings: string }
  readonly moduleType: 'js'
} | null

/** The input of a child build. */
export const CHILD_INPUT: string = FUNCTIONS_MODULE

/** Makes the workers' modules: the table of functions, and of each module with lifted functions the worker's side. */
export function createChildPlugins(build: ChildBuild): readonly [ChildPlugin, LiftModulesPlugin] {
  const entryIds = new Set(build.entries.map(({ id }) => id))
  const isEntryPackaged = build.entries.some(({ id }) => isInPackage(id))
  const { byDirective, byName } = toTransformHooks((context: ChildContext, code, id): TransformResult => {
    const split = entryIds.has(id) ? build.modules.split({ code, id, parser: context }, build.shared.of(id)) : undefined
    const side = split?.worker()
    return side === undefined
      ? null
      : { code: narrowJsonImports(side.code, id, context), map: side.map, moduleType: 'js' }
  })
  /** By importer, what it imports by which name. */
  const resolutions = new Map<string, Map<string, string>>()
  const leaveOutside = (name: string, source: string, resolved: { readonly id: string } | null): ResolveResult => {
    build.externals.set(name, resolved === null ? undefined : folderOf(name, resolved.id))
    return { id: source, external: true }
  }
  const plugin: ChildPlugin = {
    name: CHILD_PLUGIN_NAME,
    resolveId: {
      order: 'pre',
      async handler(source, importer, options) {
        if (source === FUNCTIONS_MODULE) return RESOLVED_FUNCTIONS
        if (source === 'turbolift') return build.workerRuntime
        if (isBuiltin(source) || importer === undefined) return null
        if (source.startsWith(SEQUENCE)) return `\0${source}`
        if (isTableOrSequence(importer)) return source
        // A package's own modules are neither lifted nor native packages.
        if (source.startsWith('.') && isInPackage(importer) && !isEntryPackaged) return null
        const name = packageNameOf(source)
        const resolved = await this.resolve(source, importer, { ...options, skipSelf: true })
        if (name !== undefined && build.isOutside(source, importer)) return leaveOutside(name, source, resolved)
        if (resolved === null) return null
        if (name !== undefined && isNativePackage(name, resolved.id)) return leaveOutside(name, source, resolved)
        if (entryIds.has(resolved.id)) build.shared.note(resolved.id, { importer, source })
        resolutions.set(importer, (resolutions.get(importer) ?? new Map<string, string>()).set(source, resolved.id))
        return build.plan.isUnused(resolved.id) ? { ...resolved, moduleSideEffects: false } : null
      },
    },
    load: {
      filter: { id: [new RegExp(`^${RESOLVED_FUNCTIONS}$`), new RegExp(`^\0${SEQUENCE}`)] },
      handler(id) {
        if (id === RESOLVED_FUNCTIONS) return toFunctionsModule(build)
        const entry = build.entries[Number(id.slice(SEQUENCE.length + 1))]
        return id.startsWith(`\0${SEQUENCE}`) && entry !== undefined ? toSequence(entry, build.plan) : null
      },
    },
    transform: byDirective,
    async buildEnd(error) {
      const { growth } = build.shared
      build.shared.read((id) => this.getModuleInfo(id)?.code ?? undefined)
      if (error !== undefined) return
      // There will be another attempt: this one need not make its chunks.
      if (build.shared.growth > growth) throw new Error('Workers import exports of lifted modules that were left out.')
      for (const id of this.getModuleIds()) {
        if (build.mainEntries.has(id) && (!entryIds.has(id) || build.shared.of(id) !== undefined)) {
          build.onEntryReached(chainTo(id, this))
        }
        const info = this.getModuleInfo(id)
        if (isTableOrSequence(id)) continue
        // Modules that stay outside have no code.
        if (info === null || info.code === null) continue
        if (!id.startsWith('\0')) build.watched.add(id)
        build.graph.set(id, { imports: [...info.importedIds, ...info.dynamicallyImportedIds], code: '' })
        const effects = await readEffects({ id, code: info.code }, this)
        const resolved = resolutions.get(id) ?? new Map<string, string>()
        build.planned.set(id, { imports: info.importedIds, effects, resolved, code: info.code })
      }
      const before = build.plan.growth
      build.plan.read(build.planned, [...entryIds], build.program)
      if (build.plan.growth > before) throw new Error('Workers are to load their modules in another way.')
    },
    generateBundle(_, bundle) {
      for (const { modules = {} } of Object.values(bundle)) {
        for (const [id, { code }] of Object.entries(modules)) {
          const known = build.graph.get(id)
          if (known !== undefined) build.graph.set(id, { ...known, code: code ?? '' })
        }
      }
    },
  }
  return [plugin, { name: `${CHILD_PLUGIN_NAME}-modules`, transform: byName }]
}

function isTableOrSequence(id: string): boolean {
  return id === RESOLVED_FUNCTIONS || id.startsWith(`\0${SEQUENCE}`)
}

function toFunctionsModule({ entries, plan }: ChildBuild): string {
  const rows = entries.flatMap(({ id, path, functions }, index) =>
    functions.map((fn) => {
      const from = plan.sequenceOf(id).length > 1 ? `${SEQUENCE}${index}` : id
      const load = `() => import(${JSON.stringify(from)}).then((m) => m.${liftedExportOf(path)}[${JSON.stringify(fn.path)}])`
      return `  ${JSON.stringify(toLiftId({ module: path, path: fn.path }))}: ${load},\n`
    }),
  )
  return `export const functions = {\n${rows.join('')}}\n`
}

/** One after the other, so that each has run before the next one, in whatever chunks they are. */
function toSequence(entry: LiftedModule, plan: WorkerPlan): string {
  const taken = `export const { ${liftedExportOf(entry.path)} } = `
  return plan
    .sequenceOf(entry.id)
    .map((id) => `${id === entry.id ? taken : ''}await import(${JSON.stringify(id)});\n`)
    .join('')
}

/** Of the project's own modules; the others are taken as they are. */
async function readEffects(module: PlainModule, context: ChildContext): Promise<ModuleEffects | undefined> {
  if (isInPackage(module.id) || module.id.startsWith('\0')) return undefined
  return readModuleEffects(await toJavaScript(module, context.meta), context)
}

/** The shortest way from the table of functions to a module, without the table. */
function chainTo(id: string, context: ChildContext): string[] {
  const leadsTo = new Map<string, string | undefined>([[id, undefined]])
  for (const at of leadsTo.keys()) {
    const info = context.getModuleInfo(at)
    for (const importer of [...(info?.importers ?? []), ...(info?.dynamicImporters ?? [])]) {
      if (isTableOrSequence(importer)) return followChain(at, leadsTo)
      if (!leadsTo.has(importer)) leadsTo.set(importer, at)
    }
  }
  return [id]
}

function followChain(start: string, leadsTo: ReadonlyMap<string, string | undefined>): string[] {
  const chain: string[] = []
  for (let step: string | undefined = start; step !== undefined; step = leadsTo.get(step)) chain.push(step)
  return chain
}
