import { isBuiltin } from 'node:module'
import { relative, sep } from 'node:path'

import { packageNameOf } from '../bundle/native.ts'
import type { LiftedModule } from '../registry.ts'
import { readVariables } from './environment.ts'
import { reachModules, readImporters } from './graph.ts'
import type { WorkerGraph } from './graph.ts'
import { createPackageFinder } from './packages.ts'
import type { FindPackage, PackageName } from './packages.ts'

/**
 * What leaves the machine. Each module and package stands in it once, with who imports it, so that its size follows the
 * program's and not that of all chains of imports.
 */
export interface LiftReport {
  readonly sources: readonly SourceReport[]
  /** Modules of the program itself that are in workers. */
  readonly modules: readonly ModuleReport[]
  readonly packages: readonly PackageReport[]
  readonly environment: readonly VariableReport[]
}

/** Lifted functions of one module, whose workers get the same. */
export interface SourceReport {
  /** Relative to the project. */
  readonly path: string
  readonly functions: readonly { readonly id: string; readonly pool: string }[]
  /** Bytes of source of its modules as they stand in the chunks. */
  readonly bytes: number
  /** How many modules of the program it needs, itself among them. */
  readonly modules: number
  /** Names of the packages that it needs. */
  readonly packages: readonly string[]
  /** Node's own modules that it imports. */
  readonly builtins: readonly string[]
  /** Packages with native code, which are not in the chunks and must be in the worker's image. */
  readonly externals: readonly string[]
  /** Other imports that are not in the chunks: they were not found, as optional ones of packages may be. */
  readonly unresolved: readonly string[]
  /** Names of the variables that it reads; `*` where code takes the whole environment. */
  readonly environment: readonly string[]
}

export interface ModuleReport {
  /** Relative to the project. */
  readonly path: string
  readonly bytes: number
  /** Modules of the program and packages whose code in workers imports it. */
  readonly importedBy: readonly string[]
}

export interface PackageReport {
  readonly name: string
  readonly version: string | undefined
  readonly bytes: number
  /** How many modules of it. */
  readonly modules: number
  /** As of a module, for all modules of it together. */
  readonly importedBy: readonly string[]
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
  const parts = describeParts(graph, { root, findPackage: createPackageFinder() })
  const workers = { graph, parts, externals }
  const sources = modules.map((module) => describeSource(module, workers))
  const all = [...parts.values()]
  return {
    sources,
    modules: all.filter((part) => part.package === undefined).map(toModule),
    packages: toPackages(all),
    environment: toEnvironment(all),
  }
}

/** What is known of a module that has code in workers. */
interface Part {
  readonly path: string
  readonly bytes: number
  readonly package: PackageName | undefined
  readonly variables: readonly string[]
  readonly importedBy: readonly string[]
}

interface Place {
  readonly root: string
  readonly findPackage: FindPackage
}

/** A module of which nothing is used is no part of the workers, nor does it import anything there. */
function describeParts(graph: WorkerGraph, { root, findPackage }: Place): ReadonlyMap<string, Part> {
  const used = new Map([...graph].filter(([, { code }]) => code !== ''))
  const importers = readImporters(used)
  const toName = (id: string): string => findPackage(id)?.name ?? toPath(root, id)
  const describe = ([id, { code }]: readonly [string, { readonly code: string }]): [string, Part] => [
    id,
    {
      path: toPath(root, id),
      bytes: Buffer.byteLength(code),
      package: findPackage(id),
      variables: readVariables(code),
      importedBy: [...new Set((importers.get(id) ?? []).map(toName))],
    },
  ]
  return new Map([...used].map(describe))
}

interface Workers {
  readonly graph: WorkerGraph
  readonly parts: ReadonlyMap<string, Part>
  readonly externals: ReadonlySet<string>
}

function describeSource({ id, path, functions }: LiftedModule, { graph, parts, externals }: Workers): SourceReport {
  const reached = [...reachModules(graph, id)]
  const included = reached.flatMap((one) => parts.get(one) ?? [])
  const outside = reached.filter((one) => !graph.has(one))
  const isExternal = (name: string): boolean => externals.has(packageNameOf(name) ?? '')
  return {
    path,
    functions: functions.map((fn) => ({ id: `${path}#${fn.path}`, pool: fn.pool ?? 'default' })),
    bytes: included.reduce((total, { bytes }) => total + bytes, 0),
    modules: included.filter((part) => part.package === undefined).length,
    packages: [...new Set(included.flatMap((part) => part.package?.name ?? []))].toSorted(),
    builtins: outside.filter(isOfNode).toSorted(),
    externals: outside.filter((name) => !isOfNode(name) && isExternal(name)).toSorted(),
    unresolved: outside.filter((name) => !isOfNode(name) && !isExternal(name)).toSorted(),
    environment: [...new Set(included.flatMap(({ variables }) => variables))].toSorted(),
  }
}

/** Also of a newer one than this. */
function isOfNode(name: string): boolean {
  return name.startsWith('node:') || isBuiltin(name)
}

function toModule({ path, bytes, importedBy }: Part): ModuleReport {
  return { path, bytes, importedBy }
}

function toPackages(parts: readonly Part[]): readonly PackageReport[] {
  const packages = new Map<string, PackageReport>()
  for (const { package: found, bytes, importedBy } of parts) {
    if (found === undefined) continue
    const key = `${found.name}@${found.version}`
    const known = packages.get(key) ?? { ...found, bytes: 0, modules: 0, importedBy: [] }
    packages.set(key, {
      ...known,
      bytes: known.bytes + bytes,
      modules: known.modules + 1,
      importedBy: [...new Set([...known.importedBy, ...importedBy.filter((name) => name !== found.name)])],
    })
  }
  return [...packages.values()].toSorted((a, b) => b.bytes - a.bytes)
}

function toEnvironment(parts: readonly Part[]): readonly VariableReport[] {
  const readers = new Map<string, Set<string>>()
  for (const part of parts) {
    for (const name of part.variables) {
      const known = readers.get(name) ?? new Set()
      readers.set(name, known.add(part.package?.name ?? part.path))
    }
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
