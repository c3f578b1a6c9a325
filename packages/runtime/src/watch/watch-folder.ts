import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

import { openFolder } from '@turbolift/worker-base/folders'

import { watchFolderUnsafe } from './errors.ts'

/**
 * Where runs write what they do when nobody names a folder: the same for all programs of one user, and below a folder of
 * that user's, since in the system's temporary one whoever comes first could take its name.
 * @throws SystemError for a user that has no home
 */
function defaultWatchFolder(): string {
  const { LOCALAPPDATA, XDG_STATE_HOME } = process.env
  const state = process.platform === 'win32' ? LOCALAPPDATA : XDG_STATE_HOME
  return join(state || join(homedir(), '.local', 'state'), 'turbolift', 'runs')
}

/**
 * Makes sure that the folder is there and that nobody else can read or write it, and returns its absolute path.
 * @throws ConfigError `WATCH_FOLDER_UNSAFE`
 */
export function openWatchFolder(folder: string | undefined): string {
  const path = resolveFolder(folder)
  let stranger: string | undefined
  try {
    stranger = openFolder(path, 'read or write')
  } catch (cause) {
    throw watchFolderUnsafe(path, 'it cannot be created', cause)
  }
  if (stranger !== undefined) throw watchFolderUnsafe(path, stranger, undefined)
  return path
}

function resolveFolder(folder: string | undefined): string {
  try {
    return resolve(folder ?? defaultWatchFolder())
  } catch (cause) {
    throw watchFolderUnsafe('~/.local/state/turbolift/runs', 'this user has no home', cause)
  }
}
