import { copyFrame } from '../wire/frame.ts'
import type { Frame } from '../wire/frame.ts'
import { readShareKey } from '../wire/message-codec.ts'
import type { ExecutorThread } from './executor-thread.ts'

/** Values that calls refer to, for the executors there are and those to come. */
export class SharedFrames {
  readonly #byKey = new Map<string, Frame>()

  add(frame: Frame, threads: readonly ExecutorThread[]): void {
    const key = readShareKey(frame)
    if (this.#byKey.has(key)) return
    const kept = copyFrame(frame)
    this.#byKey.set(key, kept)
    for (const thread of threads) thread.post(copyFrame(kept), 0)
  }

  delete(frame: Frame, threads: readonly ExecutorThread[]): void {
    this.#byKey.delete(readShareKey(frame))
    for (const thread of threads) thread.post(copyFrame(frame), 0)
  }

  /** Brings a new executor up to date. */
  giveTo(thread: ExecutorThread): void {
    for (const frame of this.#byKey.values()) thread.post(copyFrame(frame), 0)
  }
}
