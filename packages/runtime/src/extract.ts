import { randomUUID } from 'node:crypto'
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, posix, sep } from 'node:path'
import { gunzipSync } from 'node:zlib'

import { parseTar } from 'nanotar'
import type { ParsedTarFileItem } from 'nanotar'

import { folderUnsafe, folderUnusable, manifestDamaged, manifestVersion } from './extract-errors.ts'
import { MANIFEST_VERSION, hashFiles } from './manifest.ts'
import type { LiftManifest, ManifestFile } from './manifest.ts'

/**
 * Writes the manifest's files to `<root>/<hash>` and returns that folder. What is there already is reused when it
 * is intact. Programs that do this at the same time do not disturb each other: each writes a folder of its own
 * and renames it, and the first one wins.
 * @throws DeployError `MANIFEST_VERSION`, `MANIFEST_DAMAGED`, `FOLDER_UNSAFE`, `FOLDER_UNUSABLE`
 */
export async function extractFiles(manifest: LiftManifest, root: string): Promise<string> {
  const folder = join(root, manifest.hash)
  await createPrivateFolder(root)
  if (await isIntact(folder, manifest.hash)) return folder
  const files = unpackFiles(manifest)
  const draft = join(root, `.${manifest.hash.slice(0, 16)}-${randomUUID()}`)
  try {
    await writeFiles(files, draft)
    await moveIntoPlace(draft, folder, manifest.hash)
  } catch (error) {
    throw folderUnusable(root, error)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return folder
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

async function moveIntoPlace(draft: string, folder: string, hash: string): Promise<void> {
  try {
    await rename(draft, folder)
  } catch {
    // Another program was faster, or what stands there is damaged: then it makes room.
    if (await isIntact(folder, hash)) return
    const damaged = `${draft}-damaged`
    await rename(folder, damaged)
    await rename(draft, folder)
    await rm(damaged, { recursive: true, force: true })
  }
}

async function isIntact(folder: string, hash: string): Promise<boolean> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => undefined)
  if (entries === undefined) return false
  const names = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const own = names.filter((path) => !path.startsWith(join(folder, 'node_modules')))
  const read = async (path: string) => ({
    name: path.slice(folder.length + 1).replaceAll(sep, '/'),
    data: await readFile(path),
  })
  return hashFiles(await Promise.all(own.map(read))) === hash
}

async function createPrivateFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw folderUnusable(folder, error)
  }
  if (process.getuid === undefined) return
  const { uid, mode } = await stat(folder)
  // Code is started from here: nobody else may be able to change it.
  const isPrivate = uid === process.getuid() && (mode & 0o022) === 0
  if (!isPrivate) throw folderUnsafe(folder)
}
