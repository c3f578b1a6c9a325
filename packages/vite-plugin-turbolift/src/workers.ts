import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { createChildPlugins } from './bundle/child-plugin.ts'
import type { ChildBuild } from './bundle/child-plugin.ts'
import { WorkerPlan } from './bundle/plan.ts'
import type { PlannedModules } from './bundle/plan.ts'
import type { MainProgram } from './bundle/program-order.ts'
import { SharedExports } from './bundle/shared-exports.ts'
import type { Bundler } from './bundle/bundle.ts'
import { toIsPackageOutside } from './bundle/externals.ts'
import type { WorkerFile } from './bundle/output.ts'
import { workerReachesEntry } from './diagnostics.ts'
import type { WorkerGraph } from './explain/graph.ts'
import type { LiftedModule, LiftedModules } from './registry.ts'
import { cleanId, toPath } from './module-id.ts'

/** The workers' files of one state of the program. */
export interface BuiltWorkers {
  readonly files: readonly WorkerFile[]
  /** Packages that stay outside, and the folders where they are installed. */
  readonly externals: ReadonlyMap<string, string | undefined>
  readonly graph: WorkerGraph
  readonly watched: ReadonlySet<string>
  /** Exports that workers import from lifted modules. */
  readonly shared: SharedExports
  readonly planned: PlannedModules
  /** Ids of the modules with lifted functions. */
  readonly lifted: ReadonlySet<string>
}

/** Of a program that lifts nothing. */
export function noWorkers(): BuiltWorkers {
  return {
    files: [],
    externals: new Map(),
    graph: new Map(),
    watched: new Set(),
    shared: new SharedExports(),
    planned: new Map(),
    lifted: new Set(),
  }
}

export interface WorkersInput {
  readonly modules: LiftedModules
  readonly entries: readonly LiftedModule[]
  readonly program: MainProgram
  readonly workerRuntime: string
  /** Packages that stay outside, besides those with native code. */
  readonly external: ReadonlySet<string>
  readonly bundler: Bundler
}

/**
 * Builds the files of all workers at once, with shared chunks.
 * @throws LiftCompileError `WORKER_REACHES_ENTRY`, and whatever the bundler finds wrong
 */
export async function buildWorkers(input: WorkersInput): Promise<BuiltWorkers> {
  const knowledge = { shared: new SharedExports(), plan: new WorkerPlan() }
  // Each further attempt knows of at least one more export of a lifted module, or of a module that is loaded otherwise.
  for (;;) {
    const result = await attempt(input, knowledge)
    if (result.kind === 'built') return result.workers
  }
}

/** What builds find out for the next one. */
interface Knowledge {
  readonly shared: SharedExports
  readonly plan: WorkerPlan
}

function growthOf({ shared, plan }: Knowledge): number {
  return shared.growth + plan.growth
}

type Attempt = { readonly kind: 'built'; readonly workers: BuiltWorkers } | { readonly kind: 'again' }

/** One build; to be done again when it finds that workers import a lifted module, whose exports were left out. */
async function attempt(input: WorkersInput, knowledge: Knowledge): Promise<Attempt> {
  const growth = growthOf(knowledge)
  const build = toChildBuild(input, knowledge)
  try {
    const files = await input.bundler.bundle(createChildPlugins(build))
    const { externals, graph, watched, shared, planned } = build
    const lifted = new Set(input.entries.map(({ id }) => id))
    return { kind: 'built', workers: { files, externals, graph, watched, shared, planned, lifted } }
  } catch (error) {
    if (growthOf(knowledge) > growth) return { kind: 'again' }
    throw error
  }
}

function toChildBuild(
  { modules, entries, program, workerRuntime, external, bundler }: WorkersInput,
  { shared, plan }: Knowledge,
): ChildBuild {
  const isListed = toIsPackageOutside(external)
  return {
    modules,
    entries,
    mainEntries: program.entries,
    program,
    plan,
    planned: new Map(),
    workerRuntime,
    isOutside: (source, importer) => isListed(source, importer) || bundler.isOutside(source, importer),
    shared,
    externals: new Map(),
    graph: new Map(),
    watched: new Set(),
    onEntryReached(chain) {
      throw workerReachesEntry(chain.map((id) => toPath(modules.root, id)))
    },
  }
}

/**
 * When each file was written, and its size; modules of other plugins have no file.
 * @param startMs what was written after it may be newer than what was read, and equals no other state
 */
export async function readStates(
  ids: Iterable<string>,
  startMs: number = Infinity,
): Promise<ReadonlyMap<string, string>> {
  return new Map(await Promise.all([...ids].map(async (id) => [id, await readState(id, startMs)] as const)))
}

async function readState(id: string, startMs: number): Promise<string> {
  const found = await stat(cleanId(id)).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  })
  return `${found?.mtimeMs} ${found?.size}${Number(found?.mtimeMs) > startMs ? ' or before' : ''}`
}

export function isSame(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value)
}

/** Environments may be built at the same time, and have one folder. */
let writing: Promise<unknown> = Promise.resolve()

/** Leaves the workers' files where people can read them. */
export async function writeReadable(root: string, files: readonly WorkerFile[]): Promise<void> {
  const written = writing.then(() => replaceFolder(root, files))
  writing = written.catch(() => undefined)
  await written
}

async function replaceFolder(root: string, files: readonly WorkerFile[]): Promise<void> {
  const folder = join(root, 'node_modules/.turbolift/workers')
  await rm(folder, { recursive: true, force: true })
  const folders = new Set(files.map(({ path }) => dirname(join(folder, path))))
  await Promise.all([...folders].map((path) => mkdir(path, { recursive: true })))
  await Promise.all(files.map(({ path, content }) => writeFile(join(folder, path), content)))
}
