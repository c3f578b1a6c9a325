import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { clearTimeout, setTimeout } from '@turbolift/worker-base/clock'
import { createInlineWorker } from '@turbolift/worker-base/inline'
import type { InlineWorker } from '@turbolift/worker-base/inline'
import { encodeError, onSharedGone } from '@turbolift/worker-base/wire'
import type { StreamEvent, WorkerMessage } from '@turbolift/worker-base/wire'

import { KeepAlive } from '../call/keep-alive.ts'
import { settleByAnswer } from '../call/answer.ts'
import { abortedSignal, watchSignals } from '../call/signals.ts'
import { Task } from '../call/task.ts'
import type { CallHost, CallRequest, CallSink, Calls, TaskOwner } from '../call/task.ts'
import type { PoolConfig } from '../config.ts'
import { answerUnreadable, callTimedOut } from '../call/errors.ts'
import { extractFiles } from '../extract.ts'
import type { LiftManifest } from '../manifest.ts'
import { reportCall } from '../watch/call-report.ts'
import { findExternals } from './externals.ts'

/** Calls at a time of a map: all of them share one thread. */
const APPETITE = 64

export interface InlineOptions {
  readonly manifest: LiftManifest
  /** The pool's. */
  readonly name: string
  readonly pool: PoolConfig
  /** Folder to extract to. */
  readonly root: string
}

/**
 * Runs lifted functions in the program itself, for debuggers and tests. Their code is that of the workers, with modules
 * of its own, and values are encoded and decoded as on the way to a worker: what works here works there.
 */
export class InlineCalls implements Calls, CallHost, TaskOwner, AsyncDisposable {
  readonly appetite: number = APPETITE
  readonly #options: InlineOptions
  readonly #tries: Map<number, Try> = new Map()
  readonly #endSharing: () => void = onSharedGone((key) => this.#send({ kind: 'unshare', id: 0, key }))
  readonly #keepAlive: KeepAlive = new KeepAlive()
  #worker: Promise<InlineWorker> | undefined
  #lastId = 0

  constructor(options: InlineOptions) {
    this.#options = options
  }

  get isBusy(): boolean {
    return this.#keepAlive.isHeld
  }

  submit(request: CallRequest, sink: CallSink): Task {
    const task = new Task(request, sink, reportCall(request, this.#options.name))
    // What lifted code waits for does not hold the program, here as elsewhere; that a call is pending does.
    task.keepAlive = this.#keepAlive
    task.isAwaited = true
    task.owner = this
    task.unwatch = watchSignals(task, this)
    this.#start(task)
    return task
  }

  onSettled(task: Task): void {
    this.#endTry(task.callId)
  }

  cancel(task: Task, reason: unknown): void {
    if (task.isSettled) return
    task.reject(reason)
    this.#send({ kind: 'cancel', id: task.callId, graceMs: 0, value: encodeError(reason) })
  }

  abort(task: Task, reason: unknown): void {
    task.aborted ??= { reason }
    this.#send({ kind: 'cancel', id: task.callId, graceMs: 0, value: encodeError(reason) })
  }

  allow(task: Task, items: number): void {
    this.#send({ kind: 'credit', id: task.callId, items })
  }

  endStream(task: Task): void {
    this.#send({ kind: 'return', id: task.callId })
  }

  sendStreamEvent(task: Task, event: StreamEvent): void {
    this.#send({ kind: 'stream', id: task.callId, ...event })
  }

  async whenDrained(): Promise<void> {
    // Streams are read one window ahead; nothing else lies between.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#endSharing()
    this.#keepAlive.hold()
    try {
      const worker = await this.#worker?.catch(() => undefined)
      await worker?.stop()
    } finally {
      this.#keepAlive.stop()
    }
  }

  #start(task: Task): void {
    void this.#run(task).catch((error: unknown) => task.reject(error))
  }

  #endTry(callId: number): void {
    clearTimeout(this.#tries.get(callId)?.timer)
    this.#tries.delete(callId)
  }

  async #run(task: Task): Promise<void> {
    const { request, sink } = task
    abortedSignal(request)?.throwIfAborted()
    this.#lastId += 1
    task.callId = this.#lastId
    task.host = this
    task.report?.start('inline')
    this.#tries.set(task.callId, { task, timer: this.#limitTime(task) })
    const worker = await this.#loaded()
    if (task.isSettled) return
    for (const shared of request.value.shared ?? []) worker.send({ kind: 'share', id: 0, ...shared })
    const { liftId, captures, results, value } = request
    worker.send({
      kind: 'call',
      id: task.callId,
      liftId,
      captures,
      attempt: task.attempt,
      timeoutMs: 0,
      carrier: task.report?.filledCarrier,
      results,
      value,
    })
    if (sink.window !== undefined) this.allow(task, sink.window)
  }

  /** Nothing here can end a function that does not end by itself; but its caller need not wait for it. */
  #limitTime(task: Task): NodeJS.Timeout | undefined {
    const { name, timeoutMs = this.#options.pool.timeoutMs ?? 0 } = task.request
    const expire = () => {
      const error = callTimedOut(name, '')
      this.#send({ kind: 'cancel', id: task.callId, graceMs: 0, value: encodeError(error) })
      this.#endTry(task.callId)
      task.fail(error, () => this.#start(task))
    }
    return timeoutMs === 0 ? undefined : setTimeout(expire, timeoutMs)
  }

  async #loaded(): Promise<InlineWorker> {
    const worker = (this.#worker ??= this.#load())
    try {
      return await worker
    } catch (error) {
      // The next call tries anew.
      if (this.#worker === worker) this.#worker = undefined
      throw error
    }
  }

  async #load(): Promise<InlineWorker> {
    const { manifest, root } = this.#options
    const folder = await extractFiles(manifest, root, await findExternals(manifest))
    return createInlineWorker({
      functions: pathToFileURL(join(folder, 'functions.js')).href,
      workerId: 'inline',
      onMessage: (message) => this.#receive(message),
    })
  }

  #send(message: Parameters<InlineWorker['send']>[0]): void {
    // One that cannot be loaded has its calls told so.
    void this.#worker?.then(
      (worker) => worker.send(message),
      () => undefined,
    )
  }

  #receive(message: WorkerMessage): void {
    const running = this.#tries.get(message.id)
    if (running === undefined) return
    const { task } = running
    try {
      this.#tell(task, message)
    } catch (cause) {
      this.cancel(task, answerUnreadable(task.request.name, cause))
    }
  }

  #tell(task: Task, message: WorkerMessage): void {
    switch (message.kind) {
      case 'item':
      case 'opened':
      case 'stream':
        return task.onPart(message)
      case 'result':
      case 'error':
      case 'end':
      case 'lost': {
        this.#endTry(message.id)
        const verdict = settleByAnswer(task, message)
        if (verdict?.kind === 'failed') task.fail(verdict.error, () => this.#start(task))
        else if (verdict !== undefined) task.reject(new Error(verdict.why))
        return undefined
      }
      default:
        return undefined
    }
  }
}

interface Try {
  readonly task: Task
  /** Ends it when it takes too long. */
  readonly timer: NodeJS.Timeout | undefined
}
