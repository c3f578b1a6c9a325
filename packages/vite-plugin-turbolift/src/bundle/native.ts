import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { readPackage } from '../package-json.ts'
import { cleanId } from '../module-id.ts'

/** Loaders of compiled code: who depends on one of them has some. */
const LOADERS = [
  'bindings',
  'node-gyp-build',
  'node-pre-gyp',
  '@mapbox/node-pre-gyp',
  'prebuild-install',
  'detect-libc',
]

const known = new Map<string, boolean>()

/** The package that a bare import names (`sharp`, `@scope/name`); `undefined` for paths and virtual modules. */
export function packageNameOf(source: string): string | undefined {
  return /^(?:@[\w.~-]+\/)?[\w~-][\w.~-]*(?=$|\/)/.exec(source)?.[0]
}

/**
 * Whether a package has code compiled for one platform (Node-API), which cannot be part of a chunk: by its
 * `package.json`, or by a `.node` file in its folder.
 * @param id a resolved module of the package
 */
export function isNativePackage(name: string, id: string): boolean {
  const folder = folderOf(name, id)
  if (folder === undefined) return false
  const before = known.get(folder)
  if (before !== undefined) return before
  const isNative = hasNativeCode(folder)
  known.set(folder, isNative)
  return isNative
}

/** The folder of the package that a module is of. */
export function folderOf(name: string, id: string): string | undefined {
  // CommonJS plugins wrap modules in virtual ones: a null byte before the path, a query behind it.
  const file = cleanId(id).replace('\0', '')
  const end = file.replaceAll('\\', '/').lastIndexOf(`/node_modules/${name}/`)
  if (end !== -1) return file.slice(0, end + `/node_modules/${name}`.length)
  // A linked package is where its own `package.json` is.
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder
  }
  return undefined
}

function hasNativeCode(folder: string): boolean {
  const manifest = readPackage(folder)
  if (manifest['gypfile'] === true || 'binary' in manifest || 'napi' in manifest) return true
  if (LOADERS.some((loader) => hasKey(manifest['dependencies'], loader))) return true
  return holdsAddon(folder)
}

// Node's own recursive listing asks for the state of each file once more, and takes seven times as long.
function holdsAddon(folder: string): boolean {
  const entries = readdirSync(folder, { withFileTypes: true })
  return (
    entries.some((entry) => !entry.isDirectory() && entry.name.endsWith('.node')) ||
    entries.some(
      (entry) => entry.isDirectory() && entry.name !== 'node_modules' && holdsAddon(join(folder, entry.name)),
    )
  )
}

function hasKey(value: unknown, key: string): boolean {
  return typeof value === 'object' && value !== null && key in value
}
