import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { createLiftedFunction } from '../src/call/proxy.ts'
import { sessionOf } from '../src/call/runtime.ts'
import type { ConfigInput } from '../src/config.ts'
import type { LiftManifest, LiftedEntry } from '../src/manifest.ts'
import { toManifest } from './cluster-run.ts'

/** The functions of a program on the cluster, as a bundle would have them. Disposing ends its run. */
export interface ClusterProgram extends AsyncDisposable {
  readonly manifest: LiftManifest
  lifted(name: string, options?: { readonly pool?: string }): (...args: unknown[]) => Promise<unknown>
  streamed(name: string): (...args: unknown[]) => AsyncGenerator
}

/** @param functions JavaScript text of each function by name: `async (n) => n * n` */
export function createClusterProgram(
  program: string,
  functions: Readonly<Record<string, string>>,
  options: ConfigInput,
): ClusterProgram {
  const table = Object.entries(functions).map(([name, text]) => `  ${JSON.stringify(toId(name))}: async () => ${text},`)
  const files = {
    'worker.js': readWorkerFile('worker.js'),
    'executor.js': readWorkerFile('executor.js'),
    'functions.js': `export const functions = {\n${table.join('\n')}\n}\n`,
  }
  const manifest = {
    ...toManifest(program, files),
    functions: Object.fromEntries(Object.keys(functions).map((name) => [toId(name), toEntry(name)])),
    options: { target: 'kubernetes' as const, ...options },
  }
  return {
    manifest,
    lifted(name, { pool = 'default' } = {}) {
      const proxy = createLiftedFunction(manifest, { ...toEntry(name), id: toId(name), length: 1, pool })
      return async (...args) => proxy(...args)
    },
    streamed(name) {
      const proxy = createLiftedFunction(manifest, { ...toEntry(name), id: toId(name), length: 1, kind: 'stream' })
      return async function* (...args) {
        const values = proxy(...args)
        if (Symbol.asyncIterator in values) yield* values
      }
    },
    [Symbol.asyncDispose]: () => sessionOf(manifest)[Symbol.asyncDispose](),
  }
}

function toId(name: string): string {
  return `src/main.ts#${name}`
}

function toEntry(name: string): LiftedEntry {
  return { name, pool: 'default', kind: 'call' }
}

function readWorkerFile(name: string): string {
  // Bundled programs are not where packages are found.
  const folder = process.env['TURBOLIFT_TEST_WORKER']
  const path =
    folder === undefined ? fileURLToPath(import.meta.resolve(`@turbolift/worker-base/${name}`)) : join(folder, name)
  return readFileSync(path, 'utf8')
}
