import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  rmdirSync,
} from 'node:fs'
import { join } from 'node:path'

import { findStranger, isPrivate } from './trust.ts'
import type { Forbidden } from './trust.ts'

/** What was begun in the folder may still put something into it. */
const MOST_TRIES = 5

/**
 * Creates what is missing of the folder, for this user alone. Returns who else could get at it, as `findStranger` does;
 * then nothing was made.
 * @throws what `mkdir` throws
 */
export function openFolder(path: string, forbidden: Forbidden): string | undefined {
  // First, so that nothing is made behind a link of somebody else.
  const stranger = findStranger(path, forbidden)
  if (stranger !== undefined) return stranger
  mkdirSync(path, { recursive: true, mode: 0o700 })
  return findStranger(path, forbidden)
}

/**
 * Removes a private folder with all that is in it; one that is gone is no error.
 * @throws Error when it is not private, or cannot be removed
 */
export function removePrivateFolder(path: string): void {
  if (process.geteuid === undefined) return rmSync(path, { recursive: true, force: true, maxRetries: MOST_TRIES })
  for (let tried = 1; ; tried++) {
    if (!emptyPrivateFolder(path)) return
    try {
      return rmdirSync(path)
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return
      if (!hasCode(error, 'ENOTEMPTY') || tried === MOST_TRIES) throw error
    }
  }
}

/** @returns whether there is one */
function emptyPrivateFolder(path: string): boolean {
  const descriptor = openDirectory(path)
  if (descriptor === undefined) return false
  try {
    if (!isPrivate(fstatSync(descriptor))) throw new Error(`"${path}" is not a folder of this user alone.`)
    // By its descriptor it is this very folder, whatever somebody puts in its place meanwhile; nobody else reaches into it.
    const opened = `/proc/self/fd/${descriptor}`
    const inside = existsSync(opened) ? opened : path
    for (const name of readdirSync(inside))
      rmSync(join(inside, name), { recursive: true, force: true, maxRetries: MOST_TRIES })
    return true
  } finally {
    closeSync(descriptor)
  }
}

function openDirectory(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}
