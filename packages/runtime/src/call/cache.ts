import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

import { wallClock } from '@turbolift/worker-base/clock'
import type { WireValue } from '@turbolift/worker-base/wire'

import { cacheFolderUnusable, cacheWriteFailed } from './cache-errors.ts'
import { packEntry, unpackEntry } from './cache-entry.ts'

/** Drafts of runs that were killed while they wrote; no write takes this long. */
const STALE_DRAFT_MS = 3_600_000

/** What decides a result: which code, which function, which captures and arguments. */
export interface CachedCall {
  /** Hash of the function's code. */
  readonly code: string
  readonly liftId: string
  readonly captures: number
  /** Captures and arguments, as `encodeArguments` made them. */
  readonly value: WireValue
}

/**
 * Finished results in a folder, one file each, found by the hash of what decides them. Any number of runs may use the
 * same folder at the same time, and may be killed at any moment: an entry appears by a rename when it is complete,
 * and is checked against its checksum when it is read.
 */
export interface ResultCache {
  /** The result, or `undefined` when there is none, or only a damaged one. */
  read(key: string): Promise<WireValue | undefined>
  /** Resolves when the result is kept. A disk that fails does not fail the call: the process gets a warning, once. */
  write(key: string, result: WireValue): Promise<void>
}

/** @throws ConfigError `CACHE_FOLDER_UNUSABLE` */
export async function openResultCache(folder: string): Promise<ResultCache> {
  const path = resolve(folder)
  const drafts = join(path, '.drafts')
  try {
    await mkdir(drafts, { recursive: true, mode: 0o700 })
    await removeStaleDrafts(drafts, wallClock() - STALE_DRAFT_MS)
    const probe = join(drafts, randomUUID())
    await writeFile(probe, '', { flag: 'wx', mode: 0o600 })
    await rm(probe)
  } catch (cause) {
    throw cacheFolderUnusable(folder, cause)
  }
  return new FolderCache(path, drafts)
}

/** Names the result of a call. */
export function toCacheKey({ code, liftId, captures, value }: CachedCall): string {
  const hash = createHash('sha256')
  const head = [code, liftId, captures, value.format, value.parts.map((part) => part.byteLength), value.text]
  hash.update(JSON.stringify(head))
  for (const part of value.parts) hash.update(part)
  return hash.digest('hex')
}

class FolderCache implements ResultCache {
  readonly #folder: string
  readonly #drafts: string
  #hasWarned = false

  constructor(folder: string, drafts: string) {
    this.#folder = folder
    this.#drafts = drafts
  }

  async read(key: string): Promise<WireValue | undefined> {
    try {
      return unpackEntry(key, await readFile(this.#pathOf(key)))
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined
      throw cacheFolderUnusable(this.#folder, error)
    }
  }

  async write(key: string, result: WireValue): Promise<void> {
    const draft = join(this.#drafts, randomUUID())
    const path = this.#pathOf(key)
    try {
      await writeFile(draft, packEntry(key, result), { flag: 'wx', mode: 0o600 })
      await moveIntoPlace(draft, path)
    } catch (cause) {
      await rm(draft, { force: true }).catch((error: unknown) => this.#warn(error))
      this.#warn(cause)
    }
  }

  // 256 folders keep each of them short.
  #pathOf(key: string): string {
    return join(this.#folder, key.slice(0, 2), key.slice(2))
  }

  #warn(cause: unknown): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    process.emitWarning(cacheWriteFailed(this.#folder, cause))
  }
}

async function moveIntoPlace(draft: string, path: string): Promise<void> {
  try {
    await rename(draft, path)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await rename(draft, path)
  }
}

async function removeStaleDrafts(drafts: string, beforeMs: number): Promise<void> {
  for (const name of await readdir(drafts)) {
    const path = join(drafts, name)
    // Another run may have finished it meanwhile.
    const found = await stat(path).catch((error: unknown) => ignoreMissing(error))
    if (found !== undefined && found.mtimeMs < beforeMs) await rm(path, { force: true })
  }
}

function ignoreMissing(error: unknown): undefined {
  if (!hasCode(error, 'ENOENT')) throw error
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
