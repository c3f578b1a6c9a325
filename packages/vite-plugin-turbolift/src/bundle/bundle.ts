import { isBuiltin } from 'node:module'

import { platformNotNode } from '../build-problems.ts'
import { CHILD_INPUT } from './child-plugin.ts'
import type { ChildPlugin, LiftModulesPlugin } from './child-plugin.ts'
import { toIsOutside } from './externals.ts'
import type { IsOutside } from './externals.ts'
import { importFromProject } from './host.ts'
import { ROLLDOWN_OUTPUT, toOutputOptions, toWorkerFiles } from './output.ts'
import type { OutputItem, WorkerFile } from './output.ts'
import { withPlugins } from './user-plugins.ts'

/** The host's own bundler with the configuration of one build of the program. */
export interface Bundler {
  /** Builds the workers' files. */
  bundle(plugins: ChildPlugins): Promise<WorkerFile[]>
  /** What the program leaves outside by the user's configuration. */
  readonly isOutside: IsOutside
  /** What is wrong with the configuration, for programs that lift functions. */
  readonly problem?: string | undefined
}

export type ChildPlugins = readonly [ChildPlugin, LiftModulesPlugin]

/** The options of a Rollup or rolldown build that its child build shares. */
export interface BundlerOptions {
  readonly plugins?: unknown
  readonly platform?: unknown
  readonly [option: string]: unknown
}

/** Child builds by Rollup or rolldown with the plugins of the main build. */
export function bundlerOf(kind: 'rollup' | 'rolldown', root: string, options: BundlerOptions): Bundler {
  const { platform } = options
  return {
    isOutside: toIsOutside(options['external']),
    problem: kind === 'rolldown' && platform !== 'node' ? platformNotNode(platform) : undefined,
    async bundle(plugins) {
      const host = parseBundler(await importFromProject(kind, root), kind)
      const build = await host({
        ...options,
        input: { functions: CHILD_INPUT },
        external: (id: string) => isBuiltin(id),
        plugins: await withPlugins(options.plugins, plugins),
        ...(kind === 'rolldown' ? { platform: 'node' } : {}),
      })
      try {
        const { output } = await build.generate({
          ...toOutputOptions(root),
          ...(kind === 'rolldown' ? ROLLDOWN_OUTPUT : {}),
        })
        return toWorkerFiles(output)
      } finally {
        await build.close()
      }
    },
  }
}

interface BuiltBundle {
  generate(options: object): Promise<{ readonly output: readonly OutputItem[] }>
  close(): Promise<void>
}

function parseBundler(module: unknown, kind: string): (options: object) => Promise<BuiltBundle> {
  const fn: unknown =
    typeof module === 'object' && module !== null && kind in module ? Reflect.get(module, kind) : undefined
  if (typeof fn !== 'function') throw new Error(`"${kind}" of this project has no function "${kind}".`)
  return fn as (options: object) => Promise<BuiltBundle>
}
