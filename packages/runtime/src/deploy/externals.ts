import { mkdir, realpath, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import type { LiftManifest } from '../manifest.ts'

/**
 * Packages with native code, and those of the option `external`, stay outside of the chunks: on this machine workers
 * find them where the program does, by links beside their code. One that is not installed is left out: importing it
 * then fails with Node's own words.
 */
export async function linkExternals({ externals }: LiftManifest, folder: string): Promise<void> {
  for (const name of externals) {
    const found = await findPackage(name)
    if (found === undefined) continue
    const link = join(folder, 'node_modules', name)
    await mkdir(dirname(link), { recursive: true })
    await symlink(found, link, 'junction').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
}

/** The folder of an installed package: in `node_modules` beside the program's main module or above. */
async function findPackage(name: string): Promise<string | undefined> {
  const start = process.argv[1] === undefined ? process.cwd() : dirname(process.argv[1])
  for (let folder = await realpath(start); ; folder = dirname(folder)) {
    const found = await realpath(join(folder, 'node_modules', name)).catch(() => undefined)
    if (found !== undefined) return found
    if (folder === dirname(folder)) return undefined
  }
}
