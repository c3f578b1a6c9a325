import { isBuiltin } from 'node:module'
import { relative, sep } from 'node:path'

import { readVariables } from './environment.ts'
import { reachModules } from './graph.ts'
import type { Reached, WorkerGraph } from './graph.ts'
import { packageOf } from './packages.ts'

/** What leaves the machine: for each lifted function all that its worker gets, and why. */
export interface LiftReport {
  readonly functions: readonly FunctionReport[]
}

export interface FunctionReport {
  readonly id: string
  readonly pool: string
  /** Bytes of source of its modules as they stand in the chunks. */
  readonly bytes: number
  readonly modules: readonly ModuleReport[]
  readonly packages: readonly PackageReport[]
  /** Node's own modules that it imports. */
  readonly builtins: readonly string[]
  /** Imports that are not in the chunks and must be in the worker's image. */
  readonly externals: readonly string[]
  readonly environment: readonly VariableReport[]
}

export interface ModuleReport {
  /** Relative to the project. */
  readonly path: string
  readonly bytes: number
  /** The imports that lead to it, from the lifted function's module on. */
  readonly because: readonly string[]
}

export interface PackageReport {
  readonly name: string
  readonly version: string | undefined
  readonly bytes: number
}

export interface VariableReport {
  /** `*` where code takes the whole environment. */
  readonly name: string
  /** Modules that read it. */
  readonly readBy: readonly string[]
}

export interface ReportInput {
  readonly root: string
  readonly functions: readonly { readonly id: string; readonly pool: string; readonly module: string }[]
  readonly graph: WorkerGraph
}

/** Describes the workers by what the bundler put into their chunks. */
export function createReport({ root, functions, graph }: ReportInput): LiftReport {
  return {
    functions: functions.map(({ id, pool, module }) => {
      const reached = reachModules(graph, module)
      const included = reached.filter((one) => (graph.get(one.id)?.code ?? '') !== '')
      const modules = included.map((one) => toModuleReport(one, { root, graph }))
      const outside = reached.filter((one) => !graph.has(one.id)).map((one) => one.id)
      return {
        id,
        pool,
        bytes: sum(modules),
        modules,
        packages: toPackages(included, graph),
        builtins: outside.filter((name) => isBuiltin(name)).toSorted(),
        externals: outside.filter((name) => !isBuiltin(name)).toSorted(),
        environment: toEnvironment(included, { root, graph }),
      }
    }),
  }
}

interface Place {
  readonly root: string
  readonly graph: WorkerGraph
}

function toModuleReport({ id, chain }: Reached, { root, graph }: Place): ModuleReport {
  return { path: toPath(root, id), bytes: bytesOf(graph, id), because: chain.map((one) => toPath(root, one)) }
}

function toPackages(modules: readonly Reached[], graph: WorkerGraph): readonly PackageReport[] {
  const packages = new Map<string, PackageReport>()
  for (const { id } of modules) {
    const found = packageOf(id)
    if (found === undefined) continue
    const key = `${found.name}@${found.version}`
    packages.set(key, { ...found, bytes: (packages.get(key)?.bytes ?? 0) + bytesOf(graph, id) })
  }
  return [...packages.values()].toSorted((a, b) => b.bytes - a.bytes)
}

function toEnvironment(modules: readonly Reached[], { root, graph }: Place): readonly VariableReport[] {
  const readers = new Map<string, string[]>()
  for (const { id } of modules) {
    for (const name of readVariables(graph.get(id)?.code ?? '')) {
      readers.set(name, [...(readers.get(name) ?? []), toPath(root, id)])
    }
  }
  return [...readers].map(([name, readBy]) => ({ name, readBy })).toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** Virtual modules keep their name, without the mark that bundlers put in front. */
function toPath(root: string, id: string): string {
  const name = id.replaceAll('\0', '')
  return name.startsWith(root) ? relative(root, name).split(sep).join('/') : name
}

function bytesOf(graph: WorkerGraph, id: string): number {
  return Buffer.byteLength(graph.get(id)?.code ?? '')
}

function sum(modules: readonly ModuleReport[]): number {
  return modules.reduce((total, { bytes }) => total + bytes, 0)
}
