import { isBuiltin } from 'node:module'
import { relative, sep } from 'node:path'

import { packageNameOf } from '../bundle/native.ts'
import type { LiftedModule } from '../registry.ts'
import { readVariables } from './environment.ts'
import { reachModules } from './graph.ts'
import type { WorkerGraph } from './graph.ts'
import { createPackageFinder } from './packages.ts'
import type { FindPackage, PackageName } from './packages.ts'

/** What leaves the machine: for each module with lifted functions all that their workers get, and why. */
export interface LiftReport {
  readonly sources: readonly SourceReport[]
}

/** Lifted functions of one module, whose workers get the same. */
export interface SourceReport {
  /** Relative to the project. */
  readonly path: string
  readonly functions: readonly { readonly id: string; readonly pool: string }[]
  /** Bytes of source of its modules as they stand in the chunks. */
  readonly bytes: number
  /** Modules of the program itself. */
  readonly modules: readonly ModuleReport[]
  readonly packages: readonly PackageReport[]
  /** Node's own modules that it imports. */
  readonly builtins: readonly string[]
  /** Packages with native code, which are not in the chunks and must be in the worker's image. */
  readonly externals: readonly string[]
  /** Other imports that are not in the chunks: they were not found, as optional ones of packages may be. */
  readonly unresolved: readonly string[]
  readonly environment: readonly VariableReport[]
}

export interface ModuleReport {
  /** Relative to the project. */
  readonly path: string
  readonly bytes: number
  /** The imports that lead to it, from the lifted function's module on: modules of the program, and packages. */
  readonly because: readonly string[]
}

export interface PackageReport {
  readonly name: string
  readonly version: string | undefined
  readonly bytes: number
  /** How many modules of it. */
  readonly modules: number
  /** As of a module: why the first of them is there. */
  readonly because: readonly string[]
}

export interface VariableReport {
  /** `*` where code takes the whole environment. */
  readonly name: string
  /** Modules and packages that read it. */
  readonly readBy: readonly string[]
}

export interface ReportInput {
  readonly root: string
  readonly modules: readonly LiftedModule[]
  readonly graph: WorkerGraph
  /** Names of the packages that stay outside. */
  readonly externals: ReadonlySet<string>
}

/** Describes the workers by what the bundler put into their chunks. */
export function createReport({ root, modules, graph, externals }: ReportInput): LiftReport {
  const findPackage = createPackageFinder()
  const parts = new Map([...graph].map(([id, { code }]) => [id, describePart(id, code, { root, findPackage })]))
  return { sources: modules.map((module) => describeSource(module, { graph, parts, externals })) }
}

/** What is known of a module wherever it is. */
interface Part {
  readonly path: string
  /** 0 when nothing of it is used. */
  readonly bytes: number
  readonly package: PackageName | undefined
  readonly variables: readonly string[]
}

interface Place {
  readonly root: string
  readonly findPackage: FindPackage
}

function describePart(id: string, code: string, { root, findPackage }: Place): Part {
  return {
    path: toPath(root, id),
    bytes: Buffer.byteLength(code),
    package: findPackage(id),
    variables: readVariables(code),
  }
}

interface Workers {
  readonly graph: WorkerGraph
  readonly parts: ReadonlyMap<string, Part>
  readonly externals: ReadonlySet<string>
}

function describeSource({ id, path, functions }: LiftedModule, { graph, parts, externals }: Workers): SourceReport {
  const reached = reachModules(graph, id)
  const included = reached.flatMap(({ id: one, chain }): IncludedPart[] => {
    const part = parts.get(one)
    return part === undefined || part.bytes === 0 ? [] : [{ ...part, chain }]
  })
  const explain = (chain: readonly string[]): string[] => toBecause(chain, parts)
  const outside = reached.filter((one) => !graph.has(one.id)).map((one) => one.id)
  const isExternal = (name: string): boolean => externals.has(packageNameOf(name) ?? '')
  return {
    path,
    functions: functions.map((fn) => ({ id: `${path}#${fn.path}`, pool: fn.pool ?? 'default' })),
    bytes: included.reduce((total, { bytes }) => total + bytes, 0),
    modules: included
      .filter((part) => part.package === undefined)
      .map((part) => ({ path: part.path, bytes: part.bytes, because: explain(part.chain) })),
    packages: toPackages(included, explain),
    builtins: outside.filter(isOfNode).toSorted(),
    externals: outside.filter((name) => !isOfNode(name) && isExternal(name)).toSorted(),
    unresolved: outside.filter((name) => !isOfNode(name) && !isExternal(name)).toSorted(),
    environment: toEnvironment(included),
  }
}

/** Also of a newer one than this. */
function isOfNode(name: string): boolean {
  return name.startsWith('node:') || isBuiltin(name)
}

interface IncludedPart extends Part {
  readonly chain: readonly string[]
}

/** One step for all modules of a package that follow each other. */
function toBecause(chain: readonly string[], parts: ReadonlyMap<string, Part>): string[] {
  const steps = chain.flatMap((id) => parts.get(id) ?? []).map(toName)
  return steps.filter((step, index) => step !== steps[index - 1])
}

function toName({ path, package: found }: Part): string {
  return found?.name ?? path
}

function toPackages(
  parts: readonly IncludedPart[],
  explain: (chain: readonly string[]) => readonly string[],
): readonly PackageReport[] {
  const packages = new Map<string, PackageReport>()
  for (const { package: found, bytes, chain } of parts) {
    if (found === undefined) continue
    const key = `${found.name}@${found.version}`
    const known = packages.get(key) ?? {
      ...found,
      bytes: 0,
      modules: 0,
      because: explain(chain).filter((step) => step !== found.name),
    }
    packages.set(key, { ...known, bytes: known.bytes + bytes, modules: known.modules + 1 })
  }
  return [...packages.values()].toSorted((a, b) => b.bytes - a.bytes)
}

function toEnvironment(parts: readonly Part[]): readonly VariableReport[] {
  const readers = new Map<string, Set<string>>()
  for (const part of parts) {
    for (const name of part.variables) readers.set(name, new Set([...(readers.get(name) ?? []), toName(part)]))
  }
  return [...readers]
    .map(([name, readBy]) => ({ name, readBy: [...readBy] }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** Virtual modules keep their name, without the mark that bundlers put in front. */
function toPath(root: string, id: string): string {
  const name = id.replaceAll('\0', '')
  return name.startsWith(root) ? relative(root, name).split(sep).join('/') : name
}
