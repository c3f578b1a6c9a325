import { mkdirSync, statSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join, resolve } from 'node:path'

import { watchFolderUnsafe } from './errors.ts'

/** Where runs write what they do when nobody names a folder: the same for all programs of one user. */
export function defaultWatchFolder(): string {
  const owner = process.getuid?.() ?? userInfo().username
  return join(tmpdir(), `turbolift-${owner}`, 'runs')
}

/**
 * Makes sure that the folder is there and that nobody else can read or write it, and returns its absolute path.
 * @throws ConfigError `WATCH_FOLDER_UNSAFE`
 */
export function openWatchFolder(folder: string | undefined): string {
  const path = resolve(folder ?? defaultWatchFolder())
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw watchFolderUnsafe(path, 'it cannot be created', cause)
  }
  const { uid, mode } = statSync(path)
  if (process.getuid !== undefined && uid !== process.getuid()) {
    throw watchFolderUnsafe(path, 'another user owns it', undefined)
  }
  if (process.getuid !== undefined && (mode & 0o077) !== 0) {
    throw watchFolderUnsafe(path, 'other users may look into it', undefined)
  }
  return path
}
