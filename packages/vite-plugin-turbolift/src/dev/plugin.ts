import type { DevEnvironment, Plugin, ResolvedConfig, Rollup, ViteDevServer } from 'vite'

import { Compiler } from '../compiler.ts'
import { ownRuntime, workerRuntime } from '../own-files.ts'
import { programName } from '../package-json.ts'
import { directiveInClient } from '../diagnostics.ts'
import type { ResolvedOptions } from '../options.ts'
import { MANIFEST_MODULE, RUNTIME_MODULE } from '../proxy.ts'
import { reportProblems } from '../report-problems.ts'
import type { ReportContext } from '../report-problems.ts'
import type { Edited, SplitModule } from '../split.ts'
import { findDefaultEntry } from '../vite-defaults.ts'
import { WORKER_ENVIRONMENT, addressOf, workerEnvironment } from './environment.ts'
import { MainEntries } from './main-entries.ts'
import type { Import } from './main-entries.ts'
import { createDevManifest } from './manifest.ts'
import { reloadWithoutHmr } from './reload.ts'
import { SharedModules } from './shared-modules.ts'

const RESOLVED_MANIFEST = `\0${MANIFEST_MODULE}`

/**
 * Lifting without a build, in Vite's dev server and in Vitest: each environment gets its side of a module, and workers
 * load theirs from an environment of their own. Tests run lifted functions where they are, unless
 * `TURBOLIFT_TARGET` asks for workers.
 */
export function createDevPlugin(options: ResolvedOptions): Plugin {
  const compiler = new Compiler(options)
  const entries = new MainEntries(compiler.modules)
  const shared = new SharedModules(compiler.modules, entries)
  let defaultEntry: string | undefined
  let isTest = false
  let isInline = false
  /** Undefined in a build, and in Rollup, which does not know that this plugin is only for Vite's server. */
  let server: ViteDevServer | undefined
  return {
    name: 'turbolift:dev',
    apply: 'serve',
    config(config) {
      // Vitest adds environments, which say nothing about the program.
      defaultEntry = findDefaultEntry({ ...config, environments: {} })
      return { environments: { [WORKER_ENVIRONMENT]: workerEnvironment() } }
    },
    configResolved(config) {
      compiler.root = config.root
      isTest = isVitest(config)
      isInline = isTest && (process.env['TURBOLIFT_TARGET'] ?? 'inline') === 'inline'
      if (defaultEntry !== undefined) entries.add(defaultEntry)
      entries.addInputs(config)
    },
    configureServer(started) {
      server = started
      reloadWithoutHmr(started)
    },
    resolveId: {
      // In front of Vite's own, which would find the runtime's file.
      order: 'pre',
      async handler(source, importer, how) {
        if (server === undefined) return null
        if (source === MANIFEST_MODULE) return RESOLVED_MANIFEST
        if (!isWorkerSide(this.environment)) {
          // Tests load what they test, which is no entry.
          const isServer = this.environment.config.consumer === 'server'
          if (isServer && !isTest) await entries.noteLoaded(this, { source, importer, how })
          return await resolveRuntime(this, { source, importer, how })
        }
        if (source === 'turbolift') return workerRuntime()
        return await shared.resolve(this, { source, importer, how, environment: this.environment })
      },
    },
    load: (id) => (id === RESOLVED_MANIFEST && server !== undefined ? loadManifest(server, options) : null),
    async transform(code, id) {
      if (server === undefined) return null
      const split = options.concerns(code, id) ? await compiler.split(this, code, id) : undefined
      if (isInline) return split?.inline()
      if (!isWorkerSide(this.environment)) {
        return split === undefined ? null : await toMainSide(this, { code, id, split })
      }
      const kept = split === undefined ? undefined : shared.keep(id)
      const side = kept === undefined ? split : compiler.modules.split({ code, id, parser: this }, kept)
      const edited = side?.worker()
      shared.noteImporter(id, edited?.code ?? code, this.environment)
      return edited
    },
  }
}

/** By its plugins: its variables are also set for servers that tests start. */
function isVitest({ plugins }: ResolvedConfig): boolean {
  return plugins.some(({ name }) => name === 'vitest' || name.startsWith('vitest:'))
}

function isWorkerSide(environment: { readonly name: string }): environment is DevEnvironment {
  return environment.name === WORKER_ENVIRONMENT
}

async function resolveRuntime(
  context: Pick<Rollup.PluginContext, 'resolve'>,
  { source, importer, how }: Import,
): Promise<Rollup.ResolvedId | string | null> {
  if (source !== RUNTIME_MODULE) return null
  return (await context.resolve(source, importer, { ...how, skipSelf: true })) ?? ownRuntime()
}

async function loadManifest({ config, environments }: ViteDevServer, options: ResolvedOptions): Promise<string> {
  const { root } = config
  const address = addressOf(environments[WORKER_ENVIRONMENT]) ?? ''
  const manifest = await createDevManifest({ program: programName(root), options, server: { address, root } })
  return `export const manifest = ${JSON.stringify(manifest)}\n`
}

interface TransformContext extends ReportContext {
  readonly environment: { readonly config: { readonly consumer: 'client' | 'server' } }
}

interface SplitSource {
  readonly code: string
  readonly id: string
  readonly split: SplitModule
}

/** @throws LiftCompileError `DIRECTIVE_IN_CLIENT` in code for the browser */
async function toMainSide(context: TransformContext, { code, id, split }: SplitSource): Promise<Edited> {
  const [first] = split.functions
  if (context.environment.config.consumer === 'client' && first !== undefined) {
    await reportProblems(context, { code, id, diagnostics: [directiveInClient(first.node)] })
  }
  return split.main()
}
