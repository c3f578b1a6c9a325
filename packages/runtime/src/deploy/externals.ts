import { realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import type { PackageLinks } from '../extract.ts'
import type { LiftManifest } from '../manifest.ts'

/**
 * Packages with native code, and those of the option `external`, stay outside of the chunks: on this machine workers take
 * them from where the program does.
 */
export async function findExternals({ externals }: LiftManifest): Promise<PackageLinks> {
  const start = await programFolder()
  return new Map(await Promise.all(externals.map(async (name) => [name, await findPackage(name, start)] as const)))
}

/** Where the program looks for packages first: beside its main module. */
export async function programFolder(): Promise<string> {
  return await realpath(process.argv[1] === undefined ? process.cwd() : dirname(process.argv[1]))
}

/** The folder of an installed package, in `node_modules` of the folder or one above, as Node looks for it. */
export async function findPackage(name: string, start: string): Promise<string | undefined> {
  for (let folder = start; ; folder = dirname(folder)) {
    const found = await realpath(join(folder, 'node_modules', name)).catch(() => undefined)
    if (found !== undefined) return found
    if (folder === dirname(folder)) return undefined
  }
}
