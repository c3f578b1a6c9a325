import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'

import { createFilesMatcher } from 'get-tsconfig'

import type { Project } from './projects.ts'

/**
 * The files of a project that declare names for all others, which nothing has to import: those of declarations, and
 * sources that say `declare global`, augment a module or are no modules.
 */
export async function findGlobalFiles(project: Project | undefined): Promise<readonly string[]> {
  if (project === undefined) return []
  const isOfProject = createFilesMatcher(project)
  const listed = await Promise.all(toFolders(project).map(listFiles))
  const files = [...new Set(listed.flat())].filter((path) => isOfProject(path) !== undefined)
  const found = await Promise.all(files.map(async (path) => ((await declaresForOthers(path)) ? [path] : [])))
  return found.flat().toSorted()
}

/** The folders below which a project looks for its files: of its patterns what stands before the first `*`. */
function toFolders({ path, config }: Project): readonly string[] {
  const own = dirname(path)
  const patterns = config.include ?? (config.files === undefined ? ['.'] : [])
  const files = (config.files ?? []).map((file) => dirname(resolve(own, file)))
  const sorted = [...new Set([...patterns.map((pattern) => toFolder(resolve(own, pattern))), ...files])].toSorted()
  return sorted.filter((folder, index) => !sorted.slice(0, index).some((above) => isBelow(folder, above)))
}

/** A pattern may name a single file too. */
function toFolder(pattern: string): string {
  const fixed = pattern.replace(/[\\/][^\\/]*[*?].*$/, '')
  return /\.[mc]?tsx?$/.test(fixed) ? dirname(fixed) : fixed
}

function isBelow(path: string, folder: string): boolean {
  return !relative(folder, path).startsWith('..')
}

const SKIPPED = new Set(['node_modules', 'bower_components', 'jspm_packages'])

async function listFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    // A pattern may name a folder that is not there, or not yet.
    if (error instanceof Error && 'code' in error) return []
    throw error
  })
  const inside = entries.map(async (entry): Promise<readonly string[]> => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return SKIPPED.has(entry.name) || entry.name.startsWith('.') ? [] : await listFiles(path)
    return /\.[mc]?tsx?$/.test(entry.name) ? [path] : []
  })
  return (await Promise.all(inside)).flat()
}

async function declaresForOthers(path: string): Promise<boolean> {
  if (/\.d\.[mc]?ts$/.test(path)) return true
  const text = await readFile(path, 'utf8')
  return /\bdeclare\s+(?:global|module)\b/.test(text) || !/^\s*(?:import|export)\b/m.test(text)
}
