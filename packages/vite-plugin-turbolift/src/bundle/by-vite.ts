import type { Bundler } from './bundle.ts'
import { CHILD_INPUT } from './child-plugin.ts'
import { toIsOutside, toIsPackageOutside } from './externals.ts'
import { importFromProject } from './host.ts'
import { ROLLDOWN_OUTPUT, toOutputOptions, toWorkerFiles } from './output.ts'
import type { OutputItem } from './output.ts'
import { withVitePlugins } from './user-plugins.ts'

/** One environment of a Vite build, as plugin contexts have it. */
export interface ViteEnvironment {
  readonly name: string
  readonly config: EnvironmentConfig
  getTopLevelConfig(): ViteConfig
}

interface EnvironmentConfig {
  readonly consumer?: string
  readonly resolve: { readonly external?: unknown }
  readonly build: {
    readonly rollupOptions?: { readonly external?: unknown }
    readonly rolldownOptions?: { readonly external?: unknown }
  }
}

/** The part of a resolved configuration that a child build is made from. */
interface ViteConfig {
  readonly root: string
  readonly mode: string
  readonly logger: Logger
  readonly [USER_CONFIG]?: { readonly config: UserConfig }
}

interface UserConfig {
  readonly plugins?: unknown
  readonly ssr?: object
  readonly build?: object
  readonly environments?: Readonly<Record<string, { readonly resolve?: object } | undefined>>
}

interface Logger {
  info(message: string, options?: object): void
  error(message: string, options?: object): void
}

/** Where a resolved configuration has what it was made from: each key that Vite does not know is kept as it is. */
const USER_CONFIG = 'turbolift'

/** Keeps the user's configuration, with what plugins have added, for the workers' build: both are to have the same. */
export function createConfigPlugin(): { readonly name: string } {
  const handler = (config: object): object => ({ [USER_CONFIG]: { config } })
  const plugin = { name: 'turbolift:config', apply: 'build', config: { order: 'post', handler } }
  return plugin
}

/** Child builds by Vite with the whole configuration of one environment. */
export function viteBundlerOf(environment: ViteEnvironment): Bundler {
  const { build: program, resolve } = environment.config
  const outside = [
    toIsOutside(program.rolldownOptions?.external ?? program.rollupOptions?.external),
    toIsPackageOutside(Array.isArray(resolve.external) ? resolve.external.map(String) : []),
  ]
  return {
    isOutside: (source, importer) => outside.some((isOutside) => isOutside(source, importer)),
    async bundle([plugin, ofLiftModules]) {
      const config = environment.getTopLevelConfig()
      const { name } = environment
      const user = config[USER_CONFIG]?.config ?? {}
      const vite = parseVite(await importFromProject('vite', config.root))
      const build = toBuildOptions(config.root)
      const configured = {
        ...plugin,
        configResolved: (resolved: ResolvedViteConfig) => setBuild(resolved, build, config.root),
      }
      const builder = await vite.createBuilder({
        ...user,
        configFile: false,
        root: config.root,
        mode: config.mode,
        logLevel: 'warn',
        customLogger: toChildLogger(config.logger),
        clearScreen: false,
        plugins: await withVitePlugins(user.plugins, [configured, ofLiftModules]),
        // Input and output are set at the end: a framework's plugin warns of those that it finds here.
        build: { ...user.build, ...build, rollupOptions: {} },
        ...toEnvironment(user, name),
        builder: { sharedConfigBuild: true },
      })
      const own = builder.environments[name]
      if (own === undefined) throw new Error(`Vite made no environment "${name}" for the workers' build.`)
      const result = await builder.build(own)
      return toWorkerFiles([result].flat().flatMap((one) => one.output))
    },
  }
}

function toBuildOptions(root: string) {
  const { sourcemap, ...output } = toOutputOptions(root)
  return {
    ssr: true,
    write: false,
    watch: null,
    minify: false,
    sourcemap,
    // Workers are processes of Node, whatever the program is compiled for.
    target: 'node20',
    emitAssets: true,
    copyPublicDir: false,
    reportCompressedSize: false,
    lib: false,
    rollupOptions: { input: { functions: CHILD_INPUT }, output, external: [], preserveEntrySignatures: 'strict' },
  }
}

/** The same environment, by its name, by which plugins know it; all packages are part of it. */
function toEnvironment({ ssr, environments }: UserConfig, name: string): object {
  const own = environments?.[name]
  return {
    ssr: { ...ssr, noExternal: true, external: [], target: 'node' },
    environments: {
      [name]: { ...own, consumer: 'server', resolve: { ...own?.resolve, noExternal: true, external: [] } },
    },
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

interface ViteBuilder {
  readonly environments: Readonly<Record<string, object>>
  build(
    environment: object,
  ): Promise<{ readonly output: readonly OutputItem[] } | { readonly output: readonly OutputItem[] }[]>
}

function parseVite(module: unknown): { createBuilder(config: object): Promise<ViteBuilder> } {
  const create: unknown =
    typeof module === 'object' && module !== null && 'createBuilder' in module ? module.createBuilder : undefined
  if (typeof create !== 'function') throw new Error('"vite" of this project has no function "createBuilder".')
  return { createBuilder: create as (config: object) => Promise<ViteBuilder> }
}
