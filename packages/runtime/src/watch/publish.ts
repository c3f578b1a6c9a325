import { lstatSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { removeDeadDrafts, toDraftName } from '@turbolift/worker-base/folders'

import { clearInterval, performance, setInterval } from '@turbolift/worker-base/clock'

import { watchWriteFailed } from './errors.ts'
import type { RunStarted } from './events.ts'
import { createRecorder } from './recorder.ts'
import type { RunRecorder } from './recorder.ts'

const WRITE_MS = 500
/** A run without news says this often that it is still there. */
const HEARTBEAT_MS = 5_000
const MOST_RUNS = 30
/** The name of a run's file; whatever else is in the folder is somebody's own. */
const RUN_FILE = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.json$/
/** New for each version, and created exclusively: a link in its place is not followed. */
const DRAFT = { flag: 'wx', mode: 0o600 } as const

/**
 * Keeps a file in the folder that says what the run is doing, for `turbolift watch` to read. Each version takes the
 * place of the one before by a rename, so a reader never sees half of one, and a killed run leaves its last.
 * Disposing writes how the run ended.
 */
export function publishRun(run: RunStarted, folder: string): Disposable {
  removeOldRuns(folder)
  return new RunFile(createRecorder(run), join(folder, `${run.runId}.json`))
}

class RunFile implements Disposable {
  readonly #recorder: RunRecorder
  readonly #path: string
  readonly #timer: NodeJS.Timeout
  #writtenMs = 0
  #isWriting = false
  #isOver = false

  constructor(recorder: RunRecorder, path: string) {
    this.#recorder = recorder
    this.#path = path
    this.#timer = setInterval(() => void this.#write(), WRITE_MS).unref()
    this.#writeNow()
  }

  [Symbol.dispose](): void {
    if (this.#isOver) return
    this.#stop()
    this.#recorder.end()
    this.#writeNow()
  }

  #stop(): void {
    this.#isOver = true
    clearInterval(this.#timer)
    this.#recorder[Symbol.dispose]()
  }

  async #write(): Promise<void> {
    const isDue = this.#recorder.hasNews || performance.now() - this.#writtenMs >= HEARTBEAT_MS
    if (!isDue || this.#isWriting) return
    this.#isWriting = true
    try {
      await this.#replace(toDraft(this.#path))
    } catch (error) {
      this.#giveUp(error)
    } finally {
      this.#isWriting = false
    }
  }

  async #replace(draft: string): Promise<void> {
    try {
      await writeFile(draft, this.#toText(), DRAFT)
      // The last word may have been written meanwhile.
      if (!this.#isOver) await rename(draft, this.#path)
    } finally {
      await rm(draft, { force: true })
    }
  }

  // At the start, so that the run is seen at once, and at the end, when nothing can be waited for.
  #writeNow(): void {
    const draft = toDraft(this.#path)
    try {
      writeFileSync(draft, this.#toText(), DRAFT)
      renameSync(draft, this.#path)
    } catch (error) {
      rmSync(draft, { force: true })
      this.#giveUp(error)
    }
  }

  #toText(): string {
    this.#writtenMs = performance.now()
    return JSON.stringify(this.#recorder.takeSnapshot())
  }

  // To be watched is not worth the end of the run.
  #giveUp(error: unknown): void {
    if (!this.#isOver) process.emitWarning(watchWriteFailed(this.#path, error))
    this.#stop()
  }
}

function toDraft(path: string): string {
  return join(dirname(path), toDraftName())
}

function removeOldRuns(folder: string): void {
  removeDeadDrafts(folder)
  const files = readdirSync(folder)
    .filter((name) => RUN_FILE.test(name))
    .map((name) => join(folder, name))
    .map((path) => ({ path, stats: lstatSync(path, { throwIfNoEntry: false }) }))
    .filter(({ stats }) => stats?.isFile() === true)
  const old = files.toSorted((a, b) => Number(b.stats?.mtimeMs) - Number(a.stats?.mtimeMs)).slice(MOST_RUNS - 1)
  for (const { path } of old) rmSync(path, { force: true })
}
