import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { isAbsolute, relative } from 'node:path'

/** The file of a module id, without the query that bundlers append; names of files and folders may have a `#` too. */
export function cleanId(id: string): string {
  if (!/[?#]/.test(id)) return id
  const ends = [id.length, ...[...id.matchAll(/[?#]/g)].map(({ index }) => index).toReversed()]
  const file = ends.map((end) => id.slice(0, end)).find((path) => existsSync(path))
  return file ?? id.replace(/[?#].*$/, '')
}

/** Whether a module belongs to an installed package. */
export function isInPackage(id: string): boolean {
  return /[\\/]node_modules[\\/]/.test(id)
}

/**
 * What lift ids name a module by: its path from the root, with forward slashes, and its query, since bundlers make
 * a module of its own of each; the id itself where a plugin made the module.
 */
export function toModuleName(root: string, id: string): string {
  if (!isAbsolute(id)) return id
  const file = cleanId(id)
  return toPath(root, file) + id.slice(file.length)
}

/** The path of a module's file as people know it: from the root, with forward slashes. */
export function toPath(root: string, id: string): string {
  return relative(root, cleanId(id)).replaceAll('\\', '/')
}

/** The text that people wrote, or `undefined` for a virtual module. */
export async function readSource(id: string): Promise<string | undefined> {
  try {
    return await readFile(cleanId(id), 'utf8')
  } catch (error) {
    // Modules of other plugins have no file; their compiled text is shown instead.
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}
