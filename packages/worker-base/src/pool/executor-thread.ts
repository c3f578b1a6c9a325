import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { Worker } from 'node:worker_threads'
import type { ResourceLimits } from 'node:worker_threads'

import { createStackMap } from '../executor/user-stack.ts'
import { createChannelEnds, createFrameChannel } from '../threads/channel.ts'
import { endProcesses, findChildProcesses, untilReaped } from '../threads/child-processes.ts'
import type { ThreadPlace } from '../threads/child-processes.ts'
import type { FrameChannel } from '../threads/channel.ts'
import type { ExecutorData, ExecutorNotice, StopRequest } from '../threads/startup.ts'
import type { Frame } from '../wire/frame.ts'
import type { LostReason } from '../wire/messages.ts'

/** As much as Node 20 gives. */
const MOST_YOUNG_MEGABYTES = 48

export interface ExecutorThreadOptions {
  /** URL of executor.js. */
  readonly program: URL
  readonly data: Omit<ExecutorData, 'channel' | 'argv' | 'ending'>
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
  /** Ends the thread, whatever it does, and the processes that it has started. `onEnd` follows. */
  terminate(): void
}

export function startExecutorThread(options: ExecutorThreadOptions): ExecutorThread {
  return new WorkerThread(options)
}

class WorkerThread implements ExecutorThread {
  readonly #worker: Worker
  readonly #channel: FrameChannel
  #error: unknown
  readonly #ending = new Int32Array(new SharedArrayBuffer(4))
  #place: ThreadPlace | undefined
  isReady = false

  constructor(options: ExecutorThreadOptions) {
    const ends = createChannelEnds()
    const workerData: ExecutorData = {
      ...options.data,
      channel: ends.far,
      argv: programArguments(),
      ending: this.#ending,
    }
    const { heapMegabytes } = options
    leaveRemovedFolder(options.program)
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
      if (notice.kind === 'ready') {
        this.isReady = true
        this.#place = notice.place
      }
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
    const started = this.#findStarted()
    if (started.length === 0) void this.#worker.terminate()
    else void this.#endStarted(started)
  }

  /** These first: a thread that waits for a process cannot be ended, and only a thread that lives sees them go. */
  async #endStarted(started: readonly number[]): Promise<void> {
    Atomics.store(this.#ending, 0, 1)
    endProcesses(started)
    await untilReaped(started)
    const startedSince = this.#findStarted()
    void this.#worker.terminate()
    endProcesses(startedSince)
  }

  #findStarted(): readonly number[] {
    return this.#place === undefined ? [] : findChildProcesses(this.#place)
  }
}

/** Node starts no thread in a folder that is not there any more. */
function leaveRemovedFolder(program: URL): void {
  try {
    // Not `process.cwd()`, which remembers.
    realpathSync.native('.')
  } catch {
    process.chdir(fileURLToPath(new URL('./', program)))
  }
}

/** A worker is started with the arguments of its program behind its own two. */
function programArguments(): readonly string[] {
  return [process.execPath, ...process.argv.slice(2)]
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
  const mapStack = createStackMap(new URL('./', data.functions).href, program.href)
  return { reason: 'crashed', detail: typeof error.stack === 'string' ? mapStack(error.stack) : error.message }
}
