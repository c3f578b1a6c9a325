import { readPackage } from '../package-json.ts'

/** A package with code in a worker. */
export interface PackageName {
  readonly name: string
  /** Undefined when its `package.json` does not say. */
  readonly version: string | undefined
}

/** The package that a module of `node_modules` belongs to; undefined for the program's own modules. */
export type FindPackage = (id: string) => PackageName | undefined

/** Reads each `package.json` once. */
export function createPackageFinder(): FindPackage {
  const found = new Map<string, PackageName>()
  return (id) => {
    const [, folder, name] =
      /^(.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+))[\\/]/.exec(id.replace(/^\0/, '')) ?? []
    if (folder === undefined || name === undefined) return undefined
    const known = found.get(folder) ?? { name: name.replaceAll('\\', '/'), version: readVersion(folder) }
    found.set(folder, known)
    return known
  }
}

function readVersion(folder: string): string | undefined {
  const { version } = readPackage(folder)
  return typeof version === 'string' ? version : undefined
}
