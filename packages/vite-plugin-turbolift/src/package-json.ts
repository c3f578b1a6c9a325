import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** The fields of a folder's `package.json`; none where there is none. */
export function readPackage(folder: string): Readonly<Record<string, unknown>> {
  const path = join(folder, 'package.json')
  if (!existsSync(path)) return {}
  const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'))
  return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {}
}

/** The name in the project's `package.json`, else that of its folder. */
export function programName(root: string): string {
  const { name } = readPackage(root)
  return typeof name === 'string' ? name : basename(root)
}
