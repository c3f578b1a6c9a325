import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

import { invalidPackage, nativePackageMissing } from './build-errors.ts'
import { type ArchiveEntry, packArchive } from './archive.ts'
import { parseImageReference } from './image-reference.ts'
import type { Builder } from './options.ts'

/** Folder of the worker files in the image. */
export const IMAGE_FOLDER = '/turbolift'

/** Nobody in Debian's images; numeric, because Kubernetes cannot tell whether a name is root. */
export const IMAGE_USER = '65532:65532'

export interface ContextOptions {
  readonly baseImage: string
  readonly builder: Builder
  /** Of the nodes, where it is decided before the build. */
  readonly architecture: string | undefined
  readonly apt: readonly string[]
  readonly npm: readonly string[]
  /** Names of the values that `RUN` lines get from outside (proxies, mirrors); the values do not change the image's name. */
  readonly buildArgs: readonly string[]
}

/** All that decides the bytes of an image. */
export interface ImageContext {
  readonly files: readonly ArchiveEntry[]
  readonly dockerfile: string
  /** Names the image: equal contexts give equal keys. Hexadecimal, and valid as a tag. */
  readonly key: string
}

/**
 * Reads the extracted files and decides what the image is made of.
 * @throws BuildError `PACKAGE_NAME_INVALID`, `ARCHIVE_NAME_TOO_LONG`; ConfigError `IMAGE_REFERENCE_INVALID`
 */
export async function readContext(folder: string, options: ContextOptions): Promise<ImageContext> {
  const files = await readFiles(folder)
  const dockerfile = toDockerfile(options)
  const head = `${options.builder}\n${options.architecture ?? ''}\n${dockerfile}\n`
  const hash = createHash('sha256').update(head).update(packArchive(files))
  return { files, dockerfile, key: hash.digest('hex').slice(0, 40) }
}

/** The context as Kaniko reads it from its standard input: gzip of a tar with the Dockerfile beside the files. */
export async function packContext({ files, dockerfile }: ImageContext): Promise<Buffer> {
  const inFolder = files.map(({ name, data }) => ({ name: `files/${name}`, data }))
  return promisify(gzip)(packArchive([...inFolder, { name: 'Dockerfile', data: Buffer.from(dockerfile) }]))
}

/**
 * `RUN` lines appear only for packages that the user lists: without them the build needs no shell in the base
 * image and no network but the registry.
 */
export function toDockerfile({ baseImage, apt, npm, buildArgs }: ContextOptions): string {
  // It becomes a line of the build, so it has to be one name and nothing else.
  parseImageReference(baseImage)
  const lines = [`FROM ${baseImage}`]
  if (apt.length + npm.length > 0)
    lines.push(...buildArgs.map((name) => `ARG ${checkName(name, /^\w+$/, 'buildArgs')}`))
  if (apt.length > 0) lines.push('USER 0', toAptLine(apt))
  if (npm.length > 0) lines.push('USER 0', toNpmLine(npm))
  lines.push(`COPY files ${IMAGE_FOLDER}`, `USER ${IMAGE_USER}`, `CMD ["node", "${IMAGE_FOLDER}/worker.js"]`)
  return `${lines.join('\n')}\n`
}

/**
 * Native packages cannot travel in the bundle. With the stock Node image and no list of packages they are surely
 * missing, which is better said now than by every call.
 * @throws BuildError `NATIVE_PACKAGE_MISSING`
 */
export function checkExternals(
  externals: readonly string[],
  options: ContextOptions & { readonly isStockImage: boolean },
): void {
  if (!options.isStockImage) return
  const listed = new Set(options.npm.map((spec) => spec.replace(/(?<=.)@.*$/, '')))
  const missing = externals.filter((name) => !listed.has(name))
  if (missing.length > 0) throw nativePackageMissing(missing)
}

function toAptLine(packages: readonly string[]): string {
  const valid = packages.map((name) => checkName(name, /^[a-z0-9][a-z0-9+.-]*(?<!-)(=[\w.+:~-]*[\w.+:~])?$/, 'apt'))
  return `RUN apt-get update && apt-get install -y --no-install-recommends ${valid.join(' ')} && rm -rf /var/lib/apt/lists/*`
}

function toNpmLine(packages: readonly string[]): string {
  const valid = packages.map((name) =>
    checkName(name, /^(@[a-z0-9][a-z0-9._~-]*\/)?[a-z0-9][a-z0-9._~-]*(@[\w.^~<>=*-]+)?$/i, 'npm'),
  )
  const quoted = valid.map((spec) => `'${spec}'`).join(' ')
  const flags = '--omit=dev --no-audit --no-fund --no-save --cache /tmp/npm'
  return `RUN npm install --prefix ${IMAGE_FOLDER} ${flags} ${quoted} && rm -rf /tmp/npm`
}

/** The names go into a shell line, so anything but a plain package name is refused. */
function checkName(name: string, pattern: RegExp, list: 'apt' | 'npm' | 'buildArgs'): string {
  if (!pattern.test(name)) throw invalidPackage(name, list)
  return name
}

async function readFiles(folder: string): Promise<ArchiveEntry[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return Promise.all(
    paths.map(async (path) => ({ name: relative(folder, path).split(sep).join('/'), data: await readFile(path) })),
  )
}
