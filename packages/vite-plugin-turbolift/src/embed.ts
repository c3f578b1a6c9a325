import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

import { MagicString } from 'magic-string'
import { createTar } from 'nanotar'
import { MANIFEST_VERSION, hashFiles } from 'turbolift/manifest'
import type { LiftedEntry, LiftManifest } from 'turbolift/manifest'

import type { WorkerFile } from './bundle/output.ts'
import { hashFunctions } from './code-hash.ts'
import type { ResolvedOptions } from './options.ts'
import type { LiftedModule } from './registry.ts'

/** The free identifier of the manifest module, which `renderChunk` replaces. */
export const MANIFEST_PLACEHOLDER = '__TURBOLIFT_MANIFEST__'

export interface EmbedInput {
  readonly program: string
  readonly modules: readonly LiftedModule[]
  readonly files: readonly WorkerFile[]
  readonly externals: Iterable<string>
  readonly options: ResolvedOptions
}

/** Packs the workers' files and says what is in them. */
export async function createManifest({
  program,
  modules,
  files,
  externals,
  options,
}: EmbedInput): Promise<LiftManifest> {
  const all = withWorkerProgram(files).map(({ path, content }) => ({ name: path, data: Buffer.from(content) }))
  const tar = createTar(all.map((file) => ({ ...file, attrs: ATTRIBUTES })))
  const packed = await promisify(gzip)(tar, { level: 9 })
  return {
    version: MANIFEST_VERSION,
    program,
    hash: hashFiles(all),
    functions: toEntries(modules, hashFunctions(files)),
    options: options.run,
    externals: [...externals].toSorted(),
    files: packed.toString('base64'),
  }
}

/** Puts the manifest in place of its placeholder; `undefined` if the chunk has none. */
export function embedManifest(
  code: string,
  manifest: LiftManifest,
): { code: string; map: { mappings: string } } | undefined {
  if (!code.includes(MANIFEST_PLACEHOLDER)) return undefined
  const text = new MagicString(code)
  // Minifiers may parse what stands here again, so it is an expression of JavaScript.
  text.replaceAll(MANIFEST_PLACEHOLDER, () => JSON.stringify(manifest))
  return { code: text.toString(), map: text.generateMap({ hires: 'boundary' }) }
}

const ATTRIBUTES = { mtime: 0, uid: 0, gid: 0, mode: '644', user: '', group: '' }

function withWorkerProgram(files: readonly WorkerFile[]): WorkerFile[] {
  const program = ['worker.js', 'executor.js'].map((path) => ({
    path,
    content: readFileSync(workerBaseFile(path), 'utf8'),
  }))
  const all = [...files, ...program, { path: 'package.json', content: '{"type":"module"}\n' }]
  return all.toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

function workerBaseFile(name: string): string {
  return fileURLToPath(import.meta.resolve(`@turbolift/worker-base/${name}`))
}

function toEntries(modules: readonly LiftedModule[], hashes: ReadonlyMap<string, string>): Record<string, LiftedEntry> {
  return Object.fromEntries(
    modules.flatMap(({ path, functions }) =>
      functions.map(({ path: name, name: own, pool, kind }) => {
        const id = `${path}#${name}`
        const code = hashes.get(id)
        return [id, { name: own, pool: pool ?? 'default', kind, ...(code === undefined ? {} : { code }) }]
      }),
    ),
  )
}
