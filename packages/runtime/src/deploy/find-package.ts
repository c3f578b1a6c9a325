import { realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * The folder of an installed package, as the running program would find it: in `node_modules` beside its main module
 * or above. `undefined` where it is not installed; importing it then fails in the worker with Node's own words.
 */
export async function findPackage(name: string): Promise<string | undefined> {
  const start = process.argv[1] === undefined ? process.cwd() : dirname(process.argv[1])
  for (let folder = await realpath(start); ; folder = dirname(folder)) {
    const found = await realpath(join(folder, 'node_modules', name)).catch(() => undefined)
    if (found !== undefined) return found
    if (folder === dirname(folder)) return undefined
  }
}
