import { createHash } from 'node:crypto'
import { mkdir, readFile, readdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, posix, sep } from 'node:path'
import { gunzipSync } from 'node:zlib'

import { hasCode, openFolder, removeDeadDrafts, toDraftName } from '@turbolift/worker-base/folders'
import { parseTar } from 'nanotar'
import type { ParsedTarFileItem } from 'nanotar'

import { folderUnsafe, folderUnusable, manifestDamaged, manifestVersion } from './extract-errors.ts'
import { MANIFEST_VERSION, hashFiles } from './manifest.ts'
import type { LiftManifest, ManifestFile } from './manifest.ts'

/** Packages that workers take from where they are installed: their folders by name, `undefined` when there is none. */
export type PackageLinks = ReadonlyMap<string, string | undefined>

interface CodeFolder {
  readonly path: string
  readonly hash: string
  readonly links: PackageLinks
}

/**
 * Writes the manifest's files to a folder in `root` that is named by them, and by where its packages are found, and returns
 * that folder. What is there already is reused when it is intact. Programs that do this at the same time do not disturb
 * each other: each writes a folder of its own and renames it, and the first one wins.
 * @throws DeployError `MANIFEST_VERSION`, `MANIFEST_DAMAGED`, `FOLDER_UNSAFE`, `FOLDER_UNUSABLE`
 */
export async function extractFiles(
  manifest: LiftManifest,
  root: string,
  links: PackageLinks = new Map(),
): Promise<string> {
  const { hash } = manifest
  const folder: CodeFolder = { path: join(root, toFolderName(hash, links)), hash, links }
  openRoot(root)
  if (await isIntact(folder)) return folder.path
  const files = unpackFiles(manifest)
  const draft = join(root, toDraftName())
  try {
    await writeFiles(files, draft)
    await writeLinks(links, draft)
    await moveIntoPlace(draft, folder)
  } catch (error) {
    throw folderUnusable(root, error)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return folder.path
}

const NOT_INSTALLED = '{ "exports": { ".": "./not-installed.js", "./*": "./*" } }\n'

/** Programs that find their packages in different places cannot share a folder. */
function toFolderName(hash: string, links: PackageLinks): string {
  if (links.size === 0) return hash
  return `${hash}-${createHash('sha256')
    .update(JSON.stringify([...links]))
    .digest('hex')
    .slice(0, 16)}`
}

/**
 * The files of a manifest, checked against its hash.
 * @throws DeployError `MANIFEST_VERSION`, `MANIFEST_DAMAGED`
 */
export function unpackFiles(manifest: LiftManifest): readonly ManifestFile[] {
  if (manifest.version !== MANIFEST_VERSION) throw manifestVersion(manifest.version)
  const files = parseArchive(manifest.files)
  if (hashFiles(files) !== manifest.hash) throw manifestDamaged('their hash is another one', undefined)
  return files
}

function parseArchive(packed: string): readonly ManifestFile[] {
  const items = readArchive(packed).filter((item) => item.type !== 'directory')
  return items.map(({ name, data }) => {
    const isInside = !posix.isAbsolute(name) && !posix.normalize(name).startsWith('..') && !name.includes('\\')
    if (!isInside) throw manifestDamaged('a file lies outside of the folder', undefined)
    return { name, data: data ?? new Uint8Array() }
  })
}

function readArchive(packed: string): readonly ParsedTarFileItem[] {
  try {
    // In memory of its own: the parser reads all of the memory that a view lies in, and a small Buffer may share it.
    return parseTar(new Uint8Array(gunzipSync(Buffer.from(packed, 'base64'))))
  } catch (cause) {
    throw manifestDamaged('they cannot be unpacked', cause)
  }
}

async function writeFiles(files: readonly ManifestFile[], folder: string): Promise<void> {
  const folders = new Set(files.map(({ name }) => dirname(join(folder, name))))
  await mkdir(folder, { mode: 0o700 })
  for (const path of folders) await mkdir(path, { recursive: true, mode: 0o700 })
  await Promise.all(files.map(({ name, data }) => writeFile(join(folder, name), data, { mode: 0o600, flag: 'wx' })))
}

/**
 * A package that is not installed gets a folder without code: importing it then fails with Node's own words, and it is not
 * looked for in the folders above, which may be those of another program.
 */
async function writeLinks(links: PackageLinks, folder: string): Promise<void> {
  for (const [name, target] of links) {
    const link = toLinkPath(folder, name)
    await mkdir(target === undefined ? link : dirname(link), { recursive: true, mode: 0o700 })
    if (target === undefined) await writeFile(join(link, 'package.json'), NOT_INSTALLED, { flag: 'wx' })
    else await symlink(target, link, 'junction')
  }
}

function toLinkPath(folder: string, name: string): string {
  return join(folder, 'node_modules', name)
}

async function moveIntoPlace(draft: string, folder: CodeFolder): Promise<void> {
  try {
    await rename(draft, folder.path)
  } catch {
    // Another program was faster, or what stands there is damaged: then it makes room.
    if (await isIntact(folder)) return
    const damaged = join(dirname(draft), toDraftName())
    await rename(folder.path, damaged)
    await rename(draft, folder.path)
    await rm(damaged, { recursive: true, force: true })
  }
}

async function isIntact({ path: folder, hash, links }: CodeFolder): Promise<boolean> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => undefined)
  if (entries === undefined) return false
  const names = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const own = names.filter((path) => !path.startsWith(join(folder, 'node_modules')))
  const read = async (path: string) => ({
    name: path.slice(folder.length + 1).replaceAll(sep, '/'),
    data: await readFile(path),
  })
  if (hashFiles(await Promise.all(own.map(read))) !== hash) return false
  const targets = await Promise.all([...links.keys()].map((name) => readLink(toLinkPath(folder, name))))
  return [...links.values()].every((target, index) => target === targets[index])
}

/** `undefined`: there is no link. */
async function readLink(path: string): Promise<string | undefined> {
  return await readlink(path).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT', 'EINVAL', 'UNKNOWN')) return undefined
    throw error
  })
}

/** Code is started from there: nobody else may be able to change it. */
function openRoot(root: string): void {
  let stranger: string | undefined
  try {
    stranger = openFolder(root, 'write')
    if (stranger === undefined) removeDeadDrafts(root)
  } catch (error) {
    throw folderUnusable(root, error)
  }
  if (stranger !== undefined) throw folderUnsafe(root, stranger)
}
