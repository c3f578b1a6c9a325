import { Builds } from './builds.ts'
import type { BundlerOptions } from './bundle/bundle.ts'
import { createConfigPlugin } from './bundle/by-vite.ts'
import type { ViteEnvironment } from './bundle/by-vite.ts'
import type { ResolveOptions, Resolver } from './bundle/child-plugin.ts'
import { hostKindOf } from './bundle/host.ts'
import type { HostMeta } from './bundle/host.ts'
import { createStripPlugin } from './bundle/strip-plugin.ts'
import type { HostParser } from './ast.ts'
import { ownRuntime } from './own-files.ts'
import type { BuildContext } from './compiler.ts'
import { createDevPlugin } from './dev/plugin.ts'
import { createWatchPagePlugin } from './dev/watch-page.ts'
import { directiveInClient } from './diagnostics.ts'
import { MANIFEST_PLACEHOLDER, embedManifest } from './embed.ts'
import { idsOf, toTransformHooks } from './filters.ts'
import type { SourceMapLike } from './original.ts'
import { resolveOptions } from './options.ts'
import type { TurboliftOptions } from './options.ts'
import { MANIFEST_MODULE, RUNTIME_MODULE } from './proxy.ts'
import { reportProblems } from './report-problems.ts'
import type { ReportContext } from './report-problems.ts'
import type { TypeReportContext } from './typecheck/report-types.ts'
import { viteDefaults } from './vite-defaults.ts'
import type { UserConfig } from './vite-defaults.ts'

/** A plugin of Vite, Rollup and rolldown alike: their own types ask for no more than a name. */
export interface TurboliftPlugin {
  readonly name: string
}

interface Context extends BuildContext, ReportContext, TypeReportContext, HostParser, Resolver {
  readonly meta: HostMeta & { readonly watchMode: boolean }
  getCombinedSourcemap(): SourceMapLike
  readonly environment?: ViteEnvironment
}

const RESOLVED_MANIFEST = `\0${MANIFEST_MODULE}`

/**
 * Lifts functions with `'use lift'`, and those of `*.lift.ts`, out of the program into workers.
 * In Rollup it goes after the plugin that compiles TypeScript.
 */
export function turbolift(options: TurboliftOptions = {}): TurboliftPlugin[] {
  const resolved = resolveOptions(options)
  return [
    createStripPlugin(),
    createConfigPlugin(),
    ...createMainPlugins(new Builds(resolved)),
    createDevPlugin(resolved),
    createWatchPagePlugin(),
  ]
}

function createMainPlugins(builds: Builds): TurboliftPlugin[] {
  const { byDirective, byName } = toTransformHooks(async (context: Context, code, id) => {
    const compiler = builds.of(context)
    if (!compiler.options.concerns(code, id)) return null
    const split = await compiler.split(context, code, id)
    if (split === undefined) return null
    if (context.meta.watchMode) compiler.modules.notePlaces(id, context.getCombinedSourcemap())
    const [first] = split.functions
    if (isForClient(context) && first !== undefined) {
      await reportProblems(context, { code, id, diagnostics: [directiveInClient(first.node)] })
    }
    const { code: edited, map } = split.main()
    return { code: edited, map, moduleType: 'js' }
  })
  const plugin = {
    apply: 'build',
    name: 'turbolift',
    config(this: { readonly meta: HostMeta }, config: UserConfig): object | undefined {
      return viteDefaults(config, this.meta)
    },
    async options(this: { readonly meta: HostMeta }, input: BundlerOptions): Promise<null> {
      const kind = hostKindOf(this.meta)
      if (kind !== 'vite') await builds.begin(kind, input)
      return null
    },
    /**
     * Vite 8 has rolldown read a server's chunk again and again until no dead code is found. With the runtime and the
     * workers in it each time takes long, and a chain of 300 constants needs 300; tree shaking is done before anyway.
     */
    outputOptions: <T extends OutputOptions>(output: T): T | null =>
      output.minify === 'dce-only' ? { ...output, minify: false } : null,
    // Rolldown warns of hooks that take long, and this one builds the workers.
    onLog: (_: string, { code = '', message }: BundlerLog) => (isOfOwnTime(code, message) ? false : undefined),
    resolveId: {
      filter: idsOf(MANIFEST_MODULE, RUNTIME_MODULE),
      async handler(this: Context, source: string, importer: string | undefined, options: ResolveOptions) {
        if (source === MANIFEST_MODULE) return RESOLVED_MANIFEST
        if (source !== RUNTIME_MODULE) return null
        return (await this.resolve(source, importer, { ...options, skipSelf: true })) ?? ownRuntime()
      },
    },
    load: {
      filter: idsOf(RESOLVED_MANIFEST),
      handler: (id: string) => (id === RESOLVED_MANIFEST ? `export const manifest = ${MANIFEST_PLACEHOLDER}\n` : null),
    },
    transform: byDirective,
    async buildEnd(this: Context, error?: Error) {
      if (error === undefined && !isForClient(this)) await builds.of(this).finish(this)
    },
    renderChunk: {
      filter: { code: MANIFEST_PLACEHOLDER },
      handler(this: Context, code: string) {
        return code.includes(MANIFEST_PLACEHOLDER) ? embedManifest(code, builds.of(this).manifest) : null
      },
    },
    async generateBundle(this: Context) {
      await builds.of(this).written()
    },
  }
  const ofLiftModules = { apply: 'build', name: 'turbolift:modules', transform: byName }
  return [plugin, ofLiftModules]
}

interface OutputOptions {
  readonly minify?: unknown
}

interface BundlerLog {
  readonly code?: string
  readonly message: string
}

/** A list of slow hooks that holds no other than `buildEnd` of ours. */
function isOfOwnTime(code: string, message: string): boolean {
  const slow = code.endsWith('_TIMINGS') ? (message.match(/^ *- .*/gm) ?? []) : []
  return slow.length > 0 && slow.every((line) => line.includes('plugin turbolift buildEnd '))
}

function isForClient({ environment }: Context): boolean {
  return environment?.config?.consumer === 'client'
}
