import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { chmod, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

import { hasCode, openFolder, removeDeadDrafts, toDraftName } from '@turbolift/worker-base/folders'
import type { WireValue } from '@turbolift/worker-base/wire'

import { LiftError } from '../errors.ts'
import { folderUnsafe } from '../extract-errors.ts'
import { cacheFolderUnusable, cacheUseFailed } from './cache-errors.ts'
import { packEntry, unpackEntry } from './cache-entry.ts'

/** What decides a result: which code, which function, which captures and arguments. */
export interface CachedCall {
  /** Hash of the function's code. */
  readonly code: string
  readonly liftId: string
  readonly captures: number
  /** Captures and arguments, as `encodeArguments` made them. */
  readonly value: WireValue
}

/** Where results are kept, as `map(…, { cache })` takes it. */
export type CacheFolder = string | { readonly folder: string; readonly shared?: boolean }

/**
 * Finished results in a folder, one file each, found by the hash of what decides them. Any number of runs may use the
 * folder at the same time: a result appears in one step and complete, is not changed any more, and is checked against its
 * checksum when it is read. A disk that fails does not fail a call: the process gets a warning, once for each folder.
 */
export interface ResultCache {
  /** The result, or `undefined` when there is none, or only a damaged one. */
  read(key: string): Promise<WireValue | undefined>
  /** Resolves when the result is kept, or cannot be. */
  write(key: string, result: WireValue): Promise<void>
}

/** Names the result of a call. */
export function toCacheKey({ code, liftId, captures, value }: CachedCall): string {
  const hash = createHash('sha256')
  const head = [code, liftId, captures, value.format, value.parts.map((part) => part.byteLength), value.text]
  hash.update(JSON.stringify(head))
  for (const part of value.parts) hash.update(part)
  return hash.digest('hex')
}

/** @throws ConfigError `CACHE_FOLDER_UNUSABLE`, DeployError `FOLDER_UNSAFE` */
export async function openResultCache(where: CacheFolder): Promise<ResultCache> {
  const { folder, shared = false } = typeof where === 'string' ? { folder: where } : where
  const path = resolve(folder)
  const cache = new FolderCache(path, shared)
  try {
    openRoot(path, shared)
    cache.prepare()
  } catch (cause) {
    if (cause instanceof LiftError) throw cause
    if (!hasCode(cause, ...READ_ONLY)) throw cacheFolderUnusable(folder, cause)
    cache.giveUpWriting(cause)
  }
  return cache
}

/** A full disk, or one that is only to be read: then results that are there are taken all the same. */
const READ_ONLY = ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM']
const SHARED_MODE = 0o2770
/** Folders that a warning was about. */
const warned = new Set<string>()

/** Results come from there: nobody else may be able to put some in, unless the user trusts all who can. */
function openRoot(path: string, shared: boolean): void {
  if (!shared) {
    const stranger = openFolder(path, 'write')
    if (stranger !== undefined) throw folderUnsafe(path, stranger, 'results')
  } else if (mkdirSync(path, { recursive: true }) !== undefined) chmodSync(path, SHARED_MODE)
}

class FolderCache implements ResultCache {
  readonly #folder: string
  readonly #drafts: string
  readonly #shared: boolean
  #isWritable = true

  constructor(folder: string, shared: boolean) {
    this.#folder = folder
    this.#drafts = join(folder, '.drafts')
    this.#shared = shared
  }

  /** @throws what cannot be done in the folder */
  prepare(): void {
    this.#makeFolder(this.#drafts)
    if (!lstatSync(this.#drafts).isDirectory()) throw new Error(`"${this.#drafts}" is no directory`)
    removeDeadDrafts(this.#drafts)
    const probe = join(this.#drafts, toDraftName())
    writeFileSync(probe, '', DRAFT)
    rmSync(probe)
  }

  giveUpWriting(cause: unknown): void {
    this.#isWritable = false
    this.#warn(cause)
  }

  async read(key: string): Promise<WireValue | undefined> {
    try {
      return unpackEntry(key, await readFile(this.#pathOf(key)))
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) this.#warn(error)
      return undefined
    }
  }

  async write(key: string, result: WireValue): Promise<void> {
    if (!this.#isWritable) return
    const draft = join(this.#drafts, toDraftName())
    try {
      await writeFile(draft, packEntry(key, result), DRAFT)
      if (this.#shared) await chmod(draft, this.#sharedMode() & 0o666)
      await this.#moveIntoPlace(draft, this.#pathOf(key))
    } catch (cause) {
      await rm(draft, { force: true }).catch((error: unknown) => this.#warn(error))
      this.#warn(cause)
    }
  }

  async #moveIntoPlace(draft: string, path: string): Promise<void> {
    try {
      await rename(draft, path)
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error
      this.#makeFolder(dirname(path))
      await rename(draft, path)
    }
  }

  #makeFolder(path: string): void {
    try {
      mkdirSync(path, { mode: 0o700 })
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return
      throw error
    }
    if (this.#shared) chmodSync(path, this.#sharedMode())
  }

  /** Who may write into the folder may write into those below. */
  #sharedMode(): number {
    return statSync(this.#folder).mode & 0o7777
  }

  // 256 folders keep each of them short.
  #pathOf(key: string): string {
    return join(this.#folder, key.slice(0, 2), key.slice(2))
  }

  #warn(cause: unknown): void {
    if (warned.has(this.#folder)) return
    warned.add(this.#folder)
    process.emitWarning(cacheUseFailed(this.#folder, cause))
  }
}

/** Created exclusively: a link in its place is not followed. */
const DRAFT = { flag: 'wx', mode: 0o600 } as const
