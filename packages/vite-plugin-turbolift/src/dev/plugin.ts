import type { DevEnvironment, Plugin, ViteDevServer } from 'vite'

import { Compiler, ownRuntime, programName, workerRuntime } from '../compiler.ts'
import { directiveInClient } from '../diagnostics.ts'
import { DIRECTIVE_PATTERN, isLiftModuleName } from '../directive.ts'
import type { ResolvedOptions } from '../options.ts'
import { MANIFEST_MODULE, RUNTIME_MODULE } from '../proxy.ts'
import { reportProblems } from '../report-problems.ts'
import { WORKER_ENVIRONMENT, addressOf, workerEnvironment } from './environment.ts'
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
  const shared = new SharedModules(compiler.modules)
  const isInline = process.env['VITEST'] !== undefined && (process.env['TURBOLIFT_TARGET'] ?? 'inline') === 'inline'
  /** Undefined in a build, and in Rollup, which does not know that this plugin is only for Vite's server. */
  let server: ViteDevServer | undefined
  return {
    name: 'turbolift:dev',
    apply: 'serve',
    config: () => (isInline ? null : { environments: { [WORKER_ENVIRONMENT]: workerEnvironment() } }),
    configResolved(config) {
      compiler.root = config.root
    },
    configureServer(started) {
      server = started
      reloadWithoutHmr(started)
    },
    resolveId: {
      // In front of Vite's own, which would find the runtime's file.
      order: 'pre',
      async handler(source, importer) {
        if (server === undefined) return null
        if (source === MANIFEST_MODULE) return RESOLVED_MANIFEST
        if (isWorkerSide(this.environment)) {
          if (source === 'turbolift') return workerRuntime()
          return await shared.resolve(this, { source, importer, environment: this.environment })
        }
        if (source !== RUNTIME_MODULE) return null
        return (await this.resolve(source, importer, { skipSelf: true })) ?? ownRuntime()
      },
    },
    async load(id) {
      if (id !== RESOLVED_MANIFEST || server === undefined) return null
      const { root } = compiler
      const address = addressOf(server.environments[WORKER_ENVIRONMENT]) ?? ''
      const manifest = await createDevManifest({ program: programName(root), options, server: { address, root } })
      return `export const manifest = ${JSON.stringify(manifest)}\n`
    },
    async transform(code, id) {
      if (server === undefined || (!DIRECTIVE_PATTERN.test(code) && !isLiftModuleName(id))) return null
      const { environment } = this
      const split = await compiler.split(this, code, id)
      if (split === undefined) return null
      if (isInline) return split.inline()
      if (isWorkerSide(environment))
        return (shared.isShared(id, environment) ? compiler.modules.split(code, id, true) : split)?.worker()
      const [first] = split.functions
      if (environment.config.consumer === 'client' && first !== undefined) {
        await reportProblems(this, { code, id, diagnostics: [directiveInClient(first.node)] })
      }
      return split.main()
    },
  }
}

function isWorkerSide(environment: { readonly name: string }): environment is DevEnvironment {
  return environment.name === WORKER_ENVIRONMENT
}
