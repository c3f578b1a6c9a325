import { realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import type { PackageLinks } from '../extract.ts'
import type { LiftManifest } from '../manifest.ts'

/**
 * Packages with native code, and those of the option `external`, stay outside of the chunks: on this machine workers take
 * them from where the program does.
 */
export async function findExternals({ externals, externalFolders = {} }: LiftManifest): Promise<PackageLinks> {
  const start = await programFolder()
  const find = async (name: string): Promise<string | undefined> =>
    (await findPackage(name, start)) ?? (await findFolder(externalFolders[name], start))
  return new Map(await Promise.all(externals.map(async (name) => [name, await find(name)] as const)))
}

/** Where the program looks for packages first: beside its main module. */
export async function programFolder(): Promise<string> {
  return await realpath(process.argv[1] === undefined ? process.cwd() : dirname(process.argv[1]))
}

/** The folder of an installed package, in `node_modules` of the folder or one above, as Node looks for it. */
export async function findPackage(name: string, start: string): Promise<string | undefined> {
  return await findFolder(join('node_modules', name), start)
}

/** A folder by its path from this one, or from one above. */
async function findFolder(path: string | undefined, start: string): Promise<string | undefined> {
  if (path === undefined) return undefined
  for (let folder = start; ; folder = dirname(folder)) {
    const found = await realpath(join(folder, path)).catch(() => undefined)
    if (found !== undefined) return found
    if (folder === dirname(folder)) return undefined
  }
}
