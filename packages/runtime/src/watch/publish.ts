import { readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { watchWriteFailed } from './errors.ts'
import type { RunStarted } from './events.ts'
import { createRecorder } from './recorder.ts'
import type { RunRecorder } from './recorder.ts'

const WRITE_MS = 500
/** A run without news says this often that it is still there. */
const HEARTBEAT_MS = 5_000
const MOST_RUNS = 30

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
  readonly #draft: string
  readonly #timer: NodeJS.Timeout
  #writtenMs = 0
  #isWriting = false
  #isOver = false

  constructor(recorder: RunRecorder, path: string) {
    this.#recorder = recorder
    this.#path = path
    this.#draft = `${path}.draft`
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
      await writeFile(this.#draft, this.#toText(), { mode: 0o600 })
      // The last word may have been written meanwhile.
      if (!this.#isOver) await rename(this.#draft, this.#path)
    } catch (error) {
      this.#giveUp(error)
    } finally {
      this.#isWriting = false
    }
  }

  // At the start, so that the run is seen at once, and at the end, when nothing can be waited for.
  #writeNow(): void {
    const draft = `${this.#draft}-now`
    try {
      writeFileSync(draft, this.#toText(), { mode: 0o600 })
      renameSync(draft, this.#path)
      rmSync(this.#draft, { force: true })
    } catch (error) {
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

function removeOldRuns(folder: string): void {
  const files = readdirSync(folder).map((name) => {
    const path = join(folder, name)
    return { path, writtenMs: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }
  })
  const old = files.toSorted((a, b) => b.writtenMs - a.writtenMs).slice(MOST_RUNS - 1)
  for (const { path } of old) rmSync(path, { force: true })
}
