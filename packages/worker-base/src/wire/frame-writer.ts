import type { Writable } from 'node:stream'

import { nextTick } from '../clock.ts'
import { createFrameBatch } from './frame-batch.ts'
import type { Frame } from './frame.ts'
import type { Message } from './messages.ts'

/** Sends frames on a stream: all frames of one tick leave in one write. */
export interface FrameWriter {
  /**
   * Queues a message; it leaves at the end of this tick. Does nothing once the stream is closed.
   * @throws FrameError `FRAME_TOO_LARGE`
   */
  send(message: Message): void
  /** Queues a received frame, under another id where one is given. */
  sendFrame(frame: Frame, id?: number): void
  /** Whether the receiver is slower than the sender: hold back what can wait, until `whenDrained`. */
  readonly isFull: boolean
  /** Bytes that the stream did not take yet. */
  readonly pendingBytes: number
  /** Resolves when `isFull` is false, and also when the stream is closed. */
  whenDrained(): Promise<void>
  /** Writes what is queued now instead of at the end of this tick. */
  flush(): void
}

export function createFrameWriter(stream: Writable, maxFrameBytes?: number): FrameWriter {
  return new StreamWriter(stream, maxFrameBytes)
}

class StreamWriter implements FrameWriter {
  readonly #stream: Writable
  readonly #batch
  #isScheduled = false
  #drained: Promise<void> | undefined

  constructor(stream: Writable, maxFrameBytes: number | undefined) {
    this.#stream = stream
    this.#batch = createFrameBatch(maxFrameBytes)
  }

  send(message: Message): void {
    this.#batch.add(message)
    this.#schedule()
  }

  sendFrame(frame: Frame, id: number = frame.id): void {
    this.#batch.addFrame(frame, id)
    this.#schedule()
  }

  get isFull(): boolean {
    return this.#stream.writableNeedDrain
  }

  get pendingBytes(): number {
    return this.#batch.bytes + this.#stream.writableLength
  }

  whenDrained(): Promise<void> {
    if (!this.isFull || this.#stream.closed) return Promise.resolve()
    this.#drained ??= new Promise((resolve) => {
      const finish = (): void => {
        this.#stream.off('drain', finish).off('close', finish)
        this.#drained = undefined
        resolve()
      }
      this.#stream.on('drain', finish).on('close', finish)
    })
    return this.#drained
  }

  flush(): void {
    const chunks = this.#batch.take()
    const stream = this.#stream
    if (stream.destroyed || stream.writableEnded) return
    if (chunks.length > 1) stream.cork()
    for (const chunk of chunks) stream.write(chunk)
    if (chunks.length > 1) stream.uncork()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    nextTick(() => {
      this.#isScheduled = false
      this.flush()
    })
  }
}
