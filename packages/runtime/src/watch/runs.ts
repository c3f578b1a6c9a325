import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { wallClock } from '@turbolift/worker-base/clock'
import { hasCode } from '@turbolift/worker-base/folders'

import { SNAPSHOT_VERSION } from './snapshot.ts'
import type { RunSnapshot } from './snapshot.ts'

/** A run that has not written for this long does not answer; it writes every 5 s. */
const SILENT_MS = 15_000
/** A run takes less than a tenth of it. */
const MOST_BYTES = 16 * 1024 * 1024

/** `silent`: the process is there, but says nothing: stopped, or busy for long. `died`: it is gone without a last word. */
export type RunState = 'running' | 'silent' | 'ended' | 'died'

export interface WatchedRun extends RunSnapshot {
  readonly state: RunState
}

/** Reads the files of a watch folder again and again, each only when it changed. */
export class WatchedRuns {
  readonly #folder: string
  readonly #known: Map<string, { readonly version: string; readonly run: RunSnapshot | undefined }> = new Map()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** All runs, newest first. */
  async read(): Promise<readonly WatchedRun[]> {
    const names = (await readdir(this.#folder)).filter((name) => name.endsWith('.json'))
    const runs = await Promise.all(names.map((name) => this.#readRun(name)))
    for (const name of this.#known.keys()) if (!names.includes(name)) this.#known.delete(name)
    return runs
      .filter((run) => run !== undefined)
      .map((run) => ({ ...run, state: toState(run, wallClock()) }))
      .toSorted((a, b) => b.startedAt - a.startedAt)
  }

  async #readRun(name: string): Promise<RunSnapshot | undefined> {
    const path = join(this.#folder, name)
    try {
      const { mtimeMs, ino, size } = await stat(path)
      if (size > MOST_BYTES) return undefined
      const version = `${mtimeMs} ${ino}`
      const known = this.#known.get(name)
      if (known?.version === version) return known.run
      const run = parseSnapshot(await readFile(path, 'utf8'))
      this.#known.set(name, { version, run })
      return run
    } catch (error) {
      // An old run's file, removed by a new one meanwhile; or something of somebody's own by such a name.
      if (hasCode(error, 'ENOENT', 'EISDIR', 'EACCES', 'ELOOP')) return undefined
      throw error
    }
  }
}

/** `undefined`: written by another version, or not by us. */
export function parseSnapshot(text: string): RunSnapshot | undefined {
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch {
    // Not one of our files: those are whole, or not there.
    return undefined
  }
  return isSnapshot(data) ? data : undefined
}

const LISTS = ['workers', 'maps', 'functions', 'seconds', 'slowest', 'errors', 'log'] as const

function isSnapshot(data: unknown): data is RunSnapshot {
  if (typeof data !== 'object' || data === null) return false
  const fields: Readonly<Record<string, unknown>> = { ...data }
  const isOurs = fields['version'] === SNAPSHOT_VERSION && typeof fields['runId'] === 'string'
  const hasTimes = ['pid', 'startedAt', 'at'].every((key) => typeof fields[key] === 'number')
  return isOurs && hasTimes && LISTS.every((key) => Array.isArray(fields[key]))
}

function toState({ endedAt, at, pid }: RunSnapshot, now: number): RunState {
  if (endedAt !== undefined) return 'ended'
  if (!isAlive(pid)) return 'died'
  return now - at > SILENT_MS ? 'silent' : 'running'
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
