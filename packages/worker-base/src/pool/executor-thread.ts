import { inspect } from 'node:util'
import { Worker } from 'node:worker_threads'
import type { ResourceLimits } from 'node:worker_threads'

import { toUserFrames } from '../executor/user-stack.ts'
import { createChannelEnds, createFrameChannel } from '../threads/channel.ts'
import type { FrameChannel } from '../threads/channel.ts'
import type { ExecutorData, ExecutorNotice, StopRequest } from '../threads/startup.ts'
import type { Frame } from '../wire/frame.ts'
import type { LostReason } from '../wire/messages.ts'

/** As much as Node 20 gives. */
const MOST_YOUNG_MEGABYTES = 48

export interface ExecutorThreadOptions {
  /** URL of executor.js. */
  readonly program: URL
  readonly data: Omit<ExecutorData, 'channel'>
  /** Heap limit of the thread; `undefined`: Node's own. */
  readonly heapMegabytes: number | undefined
  readonly onFrame: (frame: Frame) => void
  readonly onNotice: (notice: ExecutorNotice) => void
  /** What it printed past `process.stdout`: warnings of Node, native code. */
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => void
  /** Called once, after the last frame. */
  readonly onEnd: (end: ThreadEnd) => void
}

/** Why a thread ended, when nobody ended it. */
export interface ThreadEnd {
  readonly reason: Extract<LostReason, 'exit' | 'out-of-memory' | 'crashed'>
  readonly detail: string
}

/** One executor as the talking thread sees it. */
export interface ExecutorThread {
  readonly isReady: boolean
  post(frame: Frame, id: number): void
  /** Hands over what has arrived; it is done anyway when the executor announces it. */
  poll(): void
  /** Runs the stop hooks; the notice `stopped` says when they are done. */
  stop(): void
  /** Ends the thread, whatever it does. `onEnd` follows. */
  terminate(): void
}

export function startExecutorThread(options: ExecutorThreadOptions): ExecutorThread {
  return new WorkerThread(options)
}

class WorkerThread implements ExecutorThread {
  readonly #worker: Worker
  readonly #channel: FrameChannel
  #error: unknown
  isReady = false

  constructor(options: ExecutorThreadOptions) {
    const ends = createChannelEnds()
    const workerData: ExecutorData = { ...options.data, channel: ends.far }
    const { heapMegabytes } = options
    this.#worker = new Worker(options.program, {
      workerData,
      transferList: [ends.far.wakeups, ends.far.attachments],
      stdout: true,
      stderr: true,
      ...(heapMegabytes === undefined ? {} : { resourceLimits: toLimits(heapMegabytes) }),
    })
    this.#channel = createFrameChannel(ends.near, options.onFrame)
    this.#worker.stdout.on('data', (chunk: Buffer) => options.onOutput('stdout', chunk))
    this.#worker.stderr.on('data', (chunk: Buffer) => options.onOutput('stderr', chunk))
    this.#worker.on('message', (notice: ExecutorNotice) => {
      if (notice.kind === 'ready') this.isReady = true
      // What it sent before, such as the last lines of its stop hooks, may still lie in the channel.
      this.#channel.poll()
      options.onNotice(notice)
    })
    this.#worker.on('error', (error) => {
      this.#error = error
    })
    this.#worker.on('exit', (code) => {
      this.#channel.poll()
      this.#channel.close()
      options.onEnd(toThreadEnd(this.#error, code, options))
    })
  }

  post(frame: Frame, id: number): void {
    this.#channel.sendFrame(frame, id)
  }

  poll(): void {
    this.#channel.poll()
  }

  stop(): void {
    this.#worker.postMessage({ kind: 'stop' } satisfies StopRequest)
  }

  terminate(): void {
    void this.#worker.terminate()
  }
}

/**
 * Newer Nodes give the objects of the last moment up to 192 MB. Where the rest may have less, they cannot move there, and
 * the whole process ends instead of the thread.
 */
function toLimits(heapMegabytes: number): ResourceLimits {
  const maxYoungGenerationSizeMb = Math.min(MOST_YOUNG_MEGABYTES, Math.ceil(heapMegabytes / 4))
  return { maxOldGenerationSizeMb: heapMegabytes, maxYoungGenerationSizeMb }
}

function toThreadEnd(error: unknown, exitCode: number, { program, data }: ExecutorThreadOptions): ThreadEnd {
  if (error === undefined) return { reason: 'exit', detail: `It called process.exit(${exitCode}).` }
  if (!(error instanceof Error)) return { reason: 'crashed', detail: inspect(error) }
  // Its stack is Node's own.
  if ('code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return { reason: 'out-of-memory', detail: error.message }
  }
  // Newer Nodes make the stack of what ended a thread read-only.
  const stack = toUserFrames(error.stack ?? error.message, new URL('./', data.functions).href, program.href)
  return { reason: 'crashed', detail: stack }
}
