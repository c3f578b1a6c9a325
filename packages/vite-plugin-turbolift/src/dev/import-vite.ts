import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The Vite that the project itself uses, of which there may be another one beside this package. */
export async function importVite(root: string): Promise<typeof import('vite')> {
  const path = createRequire(join(root, 'package.json')).resolve('vite')
  return await import(pathToFileURL(path).href)
}
