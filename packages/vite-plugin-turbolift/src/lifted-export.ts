import { createHash } from 'node:crypto'

/**
 * Export of a worker's side of a module: its lifted functions by path. Each module has another one, so that a barrel
 * can export all of several lifted modules.
 */
export function liftedExportOf(module: string): string {
  return `${LIFTED_EXPORT}_${createHash('sha256').update(module).digest('hex').slice(0, 12)}`
}

export const LIFTED_EXPORT = '$lifted'
