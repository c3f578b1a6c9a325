import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

import { MagicString } from 'magic-string'
import { createTar } from 'nanotar'
import { MANIFEST_VERSION, hashFiles, toLiftId } from 'turbolift/manifest'
import type { LiftedEntry, LiftManifest } from 'turbolift/manifest'

import type { WorkerFile } from './bundle/output.ts'
import { findPackages, hashFunctions } from './code-hash.ts'
import type { ResolvedOptions } from './options.ts'
import type { LiftedModule } from './registry.ts'

/** The free identifier of the manifest module, which `renderChunk` replaces. */
export const MANIFEST_PLACEHOLDER = '__TURBOLIFT_MANIFEST__'

export interface EmbedInput {
  readonly program: string
  readonly modules: readonly LiftedModule[]
  readonly files: readonly WorkerFile[]
  /** Folder of the project. */
  readonly root: string
  readonly externals: ReadonlyMap<string, string | undefined>
  readonly options: ResolvedOptions
}

/** Packs the workers' files and says what is in them. */
export async function createManifest({
  program,
  modules,
  files,
  root,
  externals,
  options,
}: EmbedInput): Promise<LiftManifest> {
  const own = [...files, PACKAGE].map(({ path, content }) => ({ name: path, data: Buffer.from(content) }))
  const workerProgram = ['worker.js', 'executor.js'].map((name) => ({ name, data: readWorkerBase(name) }))
  const tar = createTar(own.map((file) => ({ ...file, attrs: ATTRIBUTES })))
  // In other threads, while the rest goes on.
  const compressed = compress(tar)
  const manifest: Omit<LiftManifest, 'files'> = {
    version: MANIFEST_VERSION,
    program,
    hash: hashFiles([...own, ...workerProgram]),
    functions: toEntries(modules, { hashes: hashFunctions(files), packages: findPackages(files, externals.keys()) }),
    options: options.run,
    externals: [...externals.keys()].toSorted(),
    externalFolders: toFolders(root, externals),
  }
  // Archives may follow each other in a file, compressed or not.
  const packed = Buffer.concat([readWorkerBase('program.tar.gz'), ...(await compressed)])
  return { ...manifest, files: packed.toString('base64') }
}

/** Where packages are installed, as the program finds them wherever the project lies. */
function toFolders(root: string, externals: ReadonlyMap<string, string | undefined>): Record<string, string> {
  const known = [...externals].filter(
    ([name, folder]) => folder !== undefined && folder !== join(root, 'node_modules', name),
  )
  return Object.fromEntries(known.map(([name, folder = '']) => [name, relative(root, folder).replaceAll('\\', '/')]))
}

/** As members of one gzip file (RFC 1952, section 2.2), each compressed by itself. */
async function compress(bytes: Uint8Array): Promise<Buffer[]> {
  const starts = Array.from({ length: Math.ceil(bytes.length / MEMBER_BYTES) }, (_, index) => index * MEMBER_BYTES)
  return await Promise.all(starts.map((start) => promisify(gzip)(bytes.subarray(start, start + MEMBER_BYTES))))
}

/**
 * Puts the manifest in place of its placeholder; `undefined` if the chunk has none. A map is only made when something
 * follows on the same line, as after a minifier: otherwise every place in the chunk stays where it was.
 */
export function embedManifest(
  code: string,
  manifest: LiftManifest,
): { code: string; map: { mappings: string } | null } | undefined {
  if (!code.includes(MANIFEST_PLACEHOLDER)) return undefined
  // Minifiers may parse what stands here again, so it is an expression of JavaScript.
  const expression = JSON.stringify(manifest)
  const [, ...rests] = code.split(MANIFEST_PLACEHOLDER)
  if (rests.every((rest) => /^;?(?:\n|$)/.test(rest)))
    return { code: code.replaceAll(MANIFEST_PLACEHOLDER, () => expression), map: null }
  const text = new MagicString(code).replaceAll(MANIFEST_PLACEHOLDER, () => expression)
  return { code: text.toString(), map: text.generateMap({ hires: 'boundary' }) }
}

const MEMBER_BYTES = 2 * 1024 * 1024

const ATTRIBUTES = { mtime: 0, uid: 0, gid: 0, mode: '644', user: '', group: '' }

const PACKAGE: WorkerFile = { path: 'package.json', content: '{"type":"module"}\n' }

/** `worker.js`, `executor.js`, and the archive of both, which worker-base keeps beside them. */
function readWorkerBase(name: string): Buffer {
  return readFileSync(new URL(name, import.meta.resolve('@turbolift/worker-base/worker.js')))
}

interface Found {
  readonly hashes: ReadonlyMap<string, string>
  readonly packages: ReadonlyMap<string, readonly string[]>
}

function toEntries(modules: readonly LiftedModule[], { hashes, packages }: Found): Record<string, LiftedEntry> {
  return Object.fromEntries(
    modules.flatMap(({ path, functions }) =>
      functions.map(({ path: name, name: own, pool, kind }) => {
        const id = toLiftId({ module: path, path: name })
        const [code, used = []] = [hashes.get(id), packages.get(id)]
        // Where nothing is known of it, it may use all of them.
        const known = code === undefined ? {} : { code, ...(used.length === 0 ? {} : { packages: used }) }
        return [id, { name: own, pool: pool ?? 'default', kind, ...known }]
      }),
    ),
  )
}
