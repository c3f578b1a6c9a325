import { isBuiltin } from 'node:module'

import { CHILD_INPUT } from './child-plugin.ts'
import type { ChildPlugin, LiftModulesPlugin } from './child-plugin.ts'
import { createFilesPlugin } from './files-plugin.ts'
import { importFromProject } from './host.ts'
import { createStripPlugin } from './strip-plugin.ts'
import { ROLLDOWN_OUTPUT, toOutputOptions, toWorkerFiles } from './output.ts'
import type { OutputItem, WorkerFile } from './output.ts'

/** Builds the workers' files with one bundler. */
export type Bundle = (plugins: ChildPlugins) => Promise<WorkerFile[]>

type ChildPlugins = readonly [ChildPlugin, LiftModulesPlugin]

interface PluginLike {
  readonly name?: string
}

/** The options of a Rollup or rolldown build that its child build shares. */
export interface BundlerOptions {
  readonly plugins?: unknown
  readonly [option: string]: unknown
}

/** A child build by Rollup or rolldown with the plugins of the main build. */
export function bundleWith(kind: 'rollup' | 'rolldown', root: string, options: BundlerOptions): Bundle {
  return async (plugins) => {
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
  }
}

/** The part of a resolved Vite configuration that a child build is made from. */
export interface ViteConfigLike {
  readonly root: string
  readonly mode: string
  readonly configFile?: string | undefined
  readonly logger: Logger
  readonly inlineConfig: { readonly plugins?: unknown; readonly [option: string]: unknown }
}

interface Logger {
  info(message: string, options?: object): void
  error(message: string, options?: object): void
}

/** A child build by Vite with the user's whole configuration. */
export function bundleWithVite(config: ViteConfigLike): Bundle {
  return async ([plugin, ofLiftModules]) => {
    const { root, mode, configFile, inlineConfig } = config
    const vite = parseVite(await importFromProject('vite', root))
    const { sourcemap, ...output } = toOutputOptions(root)
    const build = {
      ssr: true,
      write: false,
      watch: null,
      minify: false,
      sourcemap,
      emitAssets: true,
      copyPublicDir: false,
      reportCompressedSize: false,
      lib: false,
      rollupOptions: { input: { functions: CHILD_INPUT }, output, external: [], preserveEntrySignatures: 'strict' },
    }
    const configured = { ...plugin, configResolved: (resolved: ResolvedViteConfig) => setBuild(resolved, build, root) }
    const result = await vite.build({
      ...inlineConfig,
      root,
      mode,
      // Files are found from the worker's own, wherever that is.
      base: './',
      configFile: configFile ?? false,
      logLevel: 'warn',
      customLogger: toChildLogger(config.logger),
      clearScreen: false,
      plugins: await withPlugins(inlineConfig.plugins, [configured, ofLiftModules]),
      // Input and output are set at the end: a framework's plugin warns of those that it finds here.
      build: { ...build, rollupOptions: {} },
      ssr: { noExternal: true, external: [], target: 'node' },
    })
    return toWorkerFiles([result].flat().flatMap((one) => one.output))
  }
}

/** What went wrong is thrown; that a first attempt did, before a second was right, is no news. */
function toChildLogger(logger: Logger): Logger {
  const error: Logger['error'] = (message, options) => {
    if (!message.includes('Build failed in')) logger.error(message, options)
  }
  return { ...logger, info: () => {}, error }
}

interface ResolvedViteConfig {
  readonly build: object
  readonly environments?: Readonly<Record<string, { readonly build: object }>>
}

interface ChildBuildOptions {
  readonly rollupOptions: { readonly output: object }
}

/** Plugins of the user may have set input and output for their own build; the child's are the last word. */
function setBuild(resolved: ResolvedViteConfig, build: ChildBuildOptions, root: string): void {
  const builds = [resolved.build, ...Object.values(resolved.environments ?? {}).map((environment) => environment.build)]
  for (const one of builds) {
    const isRolldown = 'rolldownOptions' in one
    const name = isRolldown ? 'rolldownOptions' : 'rollupOptions'
    // Its comments name modules from here, and the same program is to give the same files wherever it is built.
    const options = {
      ...toObject(Reflect.get(one, name)),
      ...build.rollupOptions,
      ...(isRolldown ? { cwd: root, output: { ...build.rollupOptions.output, ...ROLLDOWN_OUTPUT } } : {}),
    }
    Object.assign(one, build, { [name]: options })
  }
}

function toObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {}
}

/** The main build's plugins with the child's in the place of ours. */
async function withPlugins(plugins: unknown, child: readonly object[]): Promise<unknown[]> {
  const flat = await flatten(plugins)
  const index = flat.findIndex(isOurs)
  const others = flat.filter((one) => !isOurs(one))
  return others.toSpliced(index === -1 ? others.length : index, 0, createStripPlugin(), ...child, createFilesPlugin())
}

async function flatten(plugins: unknown): Promise<unknown[]> {
  const settled: unknown = await plugins
  if (!Array.isArray(settled)) return settled === undefined || settled === null || settled === false ? [] : [settled]
  return (await Promise.all(settled.map(flatten))).flat()
}

function isOurs(plugin: unknown): plugin is PluginLike {
  return (
    typeof plugin === 'object' && plugin !== null && 'name' in plugin && String(plugin.name).startsWith('turbolift')
  )
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

type ViteBuild = (
  options: object,
) => Promise<{ readonly output: readonly OutputItem[] } | { readonly output: readonly OutputItem[] }[]>

function parseVite(module: unknown): { readonly build: ViteBuild } {
  const build: unknown = typeof module === 'object' && module !== null && 'build' in module ? module.build : undefined
  if (typeof build !== 'function') throw new Error('"vite" of this project has no function "build".')
  return { build: build as ViteBuild }
}
