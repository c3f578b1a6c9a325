import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'

import { findPackage, programFolder } from '../deploy/externals.ts'

const DEPENDENCIES = ['dependencies', 'optionalDependencies', 'peerDependencies'] as const
const known = new Map<string, Promise<string>>()

/**
 * Hash of the installed packages that workers load from beside the program, and of all that these say they depend on, as
 * Node finds them from there: the bytes of every file. Read once in the life of a program. What a package loads without
 * saying so, and libraries of the system, are not seen.
 */
export async function hashPackages(names: readonly string[]): Promise<string> {
  if (names.length === 0) return ''
  const start = await programFolder()
  const key = JSON.stringify([start, names])
  const hash = known.get(key) ?? hashFrom(names, start)
  known.set(key, hash)
  return await hash
}

interface Wanted {
  readonly name: string
  readonly from: string
}

async function hashFrom(names: readonly string[], start: string): Promise<string> {
  const wanted: Wanted[] = names.map((name) => ({ name, from: start }))
  const seen = new Set<string>()
  const lines: string[] = []
  // Grows while it is read.
  for (const { name, from } of wanted) {
    const folder = await findPackage(name, from)
    if (folder === undefined) lines.push(`${name} is not installed`)
    if (folder === undefined || seen.has(folder)) continue
    seen.add(folder)
    lines.push(`${name} ${await hashFolder(folder)}`)
    wanted.push(...(await dependenciesOf(folder)).map((dependency) => ({ name: dependency, from: folder })))
  }
  return createHash('sha256').update(lines.toSorted().join('\n')).digest('hex')
}

async function hashFolder(folder: string): Promise<string> {
  const hash = createHash('sha256')
  await addFolder(hash, folder, '')
  return hash.digest('hex')
}

/** Not what is installed inside of it, which is found by its name, nor what tools hide there. */
async function addFolder(hash: Hash, folder: string, path: string): Promise<void> {
  const entries = await readdir(join(folder, path), { withFileTypes: true })
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name === 'node_modules' || entry.name.startsWith('.')) continue
    const inside = path === '' ? entry.name : `${path}/${entry.name}`
    if (entry.isDirectory()) await addFolder(hash, folder, inside)
    else if (entry.isFile()) await addFile(hash.update(`\0${inside}\0`), join(folder, inside))
    else if (entry.isSymbolicLink()) hash.update(`\0${inside}\0${await readlink(join(folder, inside))}`)
  }
}

async function addFile(hash: Hash, path: string): Promise<void> {
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk)
}

async function dependenciesOf(folder: string): Promise<readonly string[]> {
  const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => '{}')
  const manifest: unknown = JSON.parse(text)
  if (typeof manifest !== 'object' || manifest === null) return []
  const lists = DEPENDENCIES.map((key): unknown => Reflect.get(manifest, key))
  return lists.flatMap((list) => (typeof list === 'object' && list !== null ? Object.keys(list) : []))
}
