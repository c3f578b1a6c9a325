import { createHash } from 'node:crypto'
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { createChildPlugins } from './bundle/child-plugin.ts'
import type { ChildBuild } from './bundle/child-plugin.ts'
import { SharedExports } from './bundle/shared-exports.ts'
import type { Bundle } from './bundle/bundle.ts'
import type { WorkerFile } from './bundle/output.ts'
import { workerReachesEntry } from './diagnostics.ts'
import type { WorkerGraph } from './explain/graph.ts'
import type { LiftedModule, LiftedModules } from './registry.ts'
import { cleanId, toPath } from './registry.ts'

/** The workers' files of one state of the program. */
export interface BuiltWorkers {
  readonly files: readonly WorkerFile[]
  readonly externals: ReadonlySet<string>
  readonly graph: WorkerGraph
  readonly watched: ReadonlySet<string>
}

export interface WorkersInput {
  readonly modules: LiftedModules
  readonly entries: readonly LiftedModule[]
  readonly mainEntries: ReadonlySet<string>
  readonly workerRuntime: string
  readonly bundle: Bundle
}

/**
 * Builds the files of all workers at once, with shared chunks.
 * @throws LiftCompileError `WORKER_REACHES_ENTRY`, and whatever the bundler finds wrong
 */
export async function buildWorkers(input: WorkersInput): Promise<BuiltWorkers> {
  const shared = new SharedExports()
  // Each further attempt knows of at least one more export of a lifted module, so there are at most as many as those.
  for (;;) {
    const result = await attempt(input, shared)
    if (result.kind === 'built') return result.workers
  }
}

type Attempt = { readonly kind: 'built'; readonly workers: BuiltWorkers } | { readonly kind: 'again' }

/** One build; to be done again when it finds that workers import a lifted module, whose exports were left out. */
async function attempt(input: WorkersInput, shared: SharedExports): Promise<Attempt> {
  const { growth } = shared
  const build = toChildBuild(input, shared)
  try {
    const files = await input.bundle(createChildPlugins(build))
    const { externals, graph, watched } = build
    return { kind: 'built', workers: { files, externals, graph, watched } }
  } catch (error) {
    if (shared.growth > growth) return { kind: 'again' }
    throw error
  }
}

function toChildBuild(
  { modules, entries, mainEntries, workerRuntime }: WorkersInput,
  shared: SharedExports,
): ChildBuild {
  return {
    modules,
    entries,
    mainEntries,
    workerRuntime,
    shared,
    externals: new Set(),
    graph: new Map(),
    watched: new Set(),
    onEntryReached(chain) {
      throw workerReachesEntry(chain.map((id) => toPath(modules.root, id)))
    },
  }
}

/** What a build's workers depend on, to know a state that was built already: compiled modules, and files as they are on disk. */
export async function fingerprint(
  compiled: Iterable<readonly [id: string, code: string]>,
  files: Iterable<string>,
): Promise<string> {
  const hash = createHash('sha256')
  for (const [id, code] of compiled) hash.update(`${id}\0${code.length}\0${code}`)
  const states = await Promise.all([...files].map(readState))
  for (const state of states) hash.update(state)
  return hash.digest('hex')
}

/** When a file was written and its size; modules of other plugins have no file. */
async function readState(id: string): Promise<string> {
  const found = await stat(cleanId(id)).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  })
  return `${id}\0${found?.mtimeMs}\0${found?.size}\0`
}

/** Leaves the workers' files where people can read them. */
export async function writeReadable(root: string, files: readonly WorkerFile[]): Promise<void> {
  const folder = join(root, 'node_modules/.turbolift/workers')
  await rm(folder, { recursive: true, force: true })
  const folders = new Set(files.map(({ path }) => dirname(join(folder, path))))
  await Promise.all([...folders].map((path) => mkdir(path, { recursive: true })))
  await Promise.all(files.map(({ path, content }) => writeFile(join(folder, path), content)))
}
