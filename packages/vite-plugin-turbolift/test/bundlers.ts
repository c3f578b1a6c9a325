import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import { nodeResolve } from '@rollup/plugin-node-resolve'
import { rolldown } from 'rolldown'
import { rollup } from 'rollup'
import esbuild from 'rollup-plugin-esbuild'
import { createLogger, build as vite8 } from 'vite'

const require = createRequire(import.meta.url)

/** A project on disk, with the packages that it may import. */
export interface Project extends AsyncDisposable {
  readonly root: string
  write(files: Readonly<Record<string, string>>): Promise<void>
  /** Writes files until disposed: a watcher that has only just started may not see the first time. */
  edit(files: Readonly<Record<string, string>>): Promise<AsyncDisposable>
}

/** Makes a folder with `package.json` and `node_modules` as a user has them; gone when disposed. */
export async function createProject(files: Readonly<Record<string, string>>, viteName = 'vite'): Promise<Project> {
  const root = await mkdtemp(join(tmpdir(), 'turbolift-project-'))
  const write = async (more: Readonly<Record<string, string>>) => {
    for (const [path, text] of Object.entries(more)) {
      await mkdir(dirname(join(root, path)), { recursive: true })
      // In one step, as editors do: a watcher never sees a file that is half written.
      await writeFile(`${root}.part`, text)
      await rename(`${root}.part`, join(root, path))
    }
  }
  await write({ 'package.json': '{ "name": "project", "type": "module" }', ...files })
  await mkdir(join(root, 'node_modules'), { recursive: true })
  await symlink(folderOf('turbolift'), join(root, 'node_modules/turbolift'))
  await symlink(folderOf(viteName), join(root, 'node_modules/vite'))
  const edit: Project['edit'] = async (more) => {
    let written = write(more)
    await written
    const again = setInterval(() => (written = write(more)), 20_000)
    return {
      async [Symbol.asyncDispose]() {
        clearInterval(again)
        await written
      },
    }
  }
  return { root, write, edit, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) }
}

function folderOf(name: string): string {
  return resolve(import.meta.dirname, '../node_modules', name)
}

/** All that the types of the four bundlers have in common. */
export interface AnyPlugin {
  readonly name: string
}

export interface BuildRequest {
  readonly root: string
  /** Entry names → paths from the root. */
  readonly input: Readonly<Record<string, string>>
  readonly plugins: readonly AnyPlugin[]
  /** Minifies the output. Default false. */
  readonly minify?: boolean
}

export interface Bundler {
  readonly name: string
  /** Package name of the Vite that the project has. */
  readonly viteName: string
  /** Writes `dist/<entry>.js`. Returns what was warned of. */
  build(request: BuildRequest): Promise<readonly string[]>
}

export const bundlers: readonly Bundler[] = [
  { name: 'Vite 8', viteName: 'vite', build: (request) => buildByVite(vite8, request) },
  { name: 'Vite 7', viteName: 'vite-7', build: async (request) => buildByVite((await importVite7()).build, request) },
  { name: 'Rollup', viteName: 'vite', build: buildByRollup },
  { name: 'rolldown', viteName: 'vite', build: buildByRolldown },
]

export async function importVite7(): Promise<{ build: typeof vite8 }> {
  return import(pathToFileURL(require.resolve('vite-7')).href)
}

async function buildByVite(
  build: typeof vite8,
  { root, input, plugins, minify = false }: BuildRequest,
): Promise<readonly string[]> {
  const warnings: string[] = []
  const customLogger = { ...createLogger('silent'), warn: (text: string) => void warnings.push(text) }
  await build({
    root,
    configFile: false,
    logLevel: 'silent',
    customLogger,
    plugins: [...plugins],
    ssr: { noExternal: true },
    build: {
      ssr: true,
      sourcemap: true,
      minify,
      target: 'node20',
      rollupOptions: { input: absolute(root, input), output: { entryFileNames: '[name].js' } },
    },
  })
  return warnings
}

async function buildByRollup({ root, input, plugins, minify = false }: BuildRequest): Promise<readonly string[]> {
  const warnings: string[] = []
  const resolving = nodeResolve({ preferBuiltins: true, extensions: ['.ts', '.js', '.mjs', '.json'] })
  const before = [resolving, await createCommonjs(), esbuild({ target: 'node20' })]
  await inFolder(root, async () => {
    const build = await rollup({
      input: absolute(root, input),
      external: /^node:/,
      plugins: [...before, ...plugins],
      onwarn: ({ message }) => void warnings.push(message),
    })
    await build.write({ dir: join(root, 'dist'), format: 'es', sourcemap: true, compact: minify })
    await build.close()
  })
  return warnings
}

async function buildByRolldown({ root, input, plugins, minify = false }: BuildRequest): Promise<readonly string[]> {
  const warnings: string[] = []
  await inFolder(root, async () => {
    const build = await rolldown({
      input: absolute(root, input),
      platform: 'node',
      plugins: [...plugins],
      onLog: (level, { message }) => {
        if (level === 'warn') warnings.push(message)
      },
    })
    await build.write({ dir: join(root, 'dist'), format: 'es', sourcemap: true, minify })
    await build.close()
  })
  return warnings
}

/** Its types are of a CommonJS module, which it is not for Node. */
async function createCommonjs(): Promise<AnyPlugin> {
  const { default: create } = (await import('@rollup/plugin-commonjs')) as unknown as { default: () => AnyPlugin }
  return create()
}

/** Rollup and rolldown take the working directory as the project's root. */
async function inFolder(root: string, run: () => Promise<void>): Promise<void> {
  const before = process.cwd()
  process.chdir(root)
  try {
    await run()
  } finally {
    process.chdir(before)
  }
}

function absolute(root: string, input: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(input).map(([name, path]) => [name, join(root, path)]))
}
