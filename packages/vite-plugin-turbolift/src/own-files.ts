import { dirname, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

import { RUNTIME_MODULE } from './proxy.ts'

/** Where this package finds the runtime, for projects that do not list it themselves. */
export function ownRuntime(): string {
  return fileURLToPath(import.meta.resolve(RUNTIME_MODULE))
}

/** What `turbolift` is inside of workers. */
export function workerRuntime(): string {
  return fileURLToPath(import.meta.resolve('turbolift/worker'))
}

/** Whether a module is one of ours, wherever it is installed: linked packages lie outside of `node_modules`. */
export function isOwnFile(id: string): boolean {
  return ownFolders().some((folder) => id.startsWith(folder))
}

let folders: readonly string[] | undefined

function ownFolders(): readonly string[] {
  const names = ['turbolift/worker', '@turbolift/worker-base/context']
  folders ??= names.map((name) => `${dirname(dirname(fileURLToPath(import.meta.resolve(name))))}${sep}`)
  return folders
}
