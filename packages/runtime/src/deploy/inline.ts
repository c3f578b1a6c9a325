import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { createInlineWorker } from '@turbolift/worker-base/inline'
import type { InlineWorker } from '@turbolift/worker-base/inline'
import { encodeError } from '@turbolift/worker-base/wire'
import type { WorkerMessage } from '@turbolift/worker-base/wire'

import { settleByAnswer } from '../call/answer.ts'
import { abortedSignal, watchSignals } from '../call/signals.ts'
import { Task } from '../call/task.ts'
import type { CallHost, CallRequest, CallSink, Calls } from '../call/task.ts'
import type { PoolConfig } from '../config.ts'
import { callTimedOut } from '../call/errors.ts'
import { extractFiles } from '../extract.ts'
import type { LiftManifest } from '../manifest.ts'
import { reportCall } from '../watch/call-report.ts'
import { linkExternals } from './externals.ts'

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
export class InlineCalls implements Calls, CallHost, AsyncDisposable {
  readonly appetite: number = APPETITE
  readonly #options: InlineOptions
  readonly #tasks: Map<number, Task> = new Map()
  #worker: Promise<InlineWorker> | undefined
  #lastId = 0

  constructor(options: InlineOptions) {
    this.#options = options
  }

  get isBusy(): boolean {
    return this.#tasks.size > 0
  }

  submit(request: CallRequest, sink: CallSink): Task {
    const task = new Task(request, sink, reportCall(request, this.#options.name))
    void this.#run(task).catch((error: unknown) => task.reject(error))
    return task
  }

  cancel(task: Task, reason: unknown): void {
    this.#send({ kind: 'cancel', id: task.callId, graceMs: 0, value: encodeError(reason) })
    task.reject(reason)
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

  async [Symbol.asyncDispose](): Promise<void> {
    const worker = await this.#worker
    await worker?.stop()
  }

  async #run(task: Task): Promise<void> {
    const { request, sink } = task
    abortedSignal(request)?.throwIfAborted()
    this.#lastId += 1
    task.callId = this.#lastId
    task.host = this
    task.report?.start('inline')
    this.#tasks.set(task.callId, task)
    this.#watch(task)
    this.#worker ??= this.#load()
    const worker = await this.#worker
    for (const shared of request.value.shared ?? []) worker.send({ kind: 'share', id: 0, ...shared })
    const { liftId, captures, value } = request
    worker.send({
      kind: 'call',
      id: task.callId,
      liftId,
      captures,
      attempt: 1,
      timeoutMs: 0,
      carrier: task.report?.filledCarrier,
      value,
    })
    if (sink.window !== undefined) this.allow(task, sink.window)
  }

  /** Nothing here can end a function that does not end by itself; but its caller need not wait for it. */
  #watch(task: Task): void {
    const { name, timeoutMs = this.#options.pool.timeoutMs ?? 0 } = task.request
    const unwatch = watchSignals(task, this)
    const expire = () => this.cancel(task, callTimedOut(name, ''))
    const timer = timeoutMs === 0 ? undefined : setTimeout(expire, timeoutMs)
    task.onSettled = () => {
      clearTimeout(timer)
      unwatch?.()
    }
  }

  async #load(): Promise<InlineWorker> {
    const { manifest, root } = this.#options
    const folder = await extractFiles(manifest, root)
    await linkExternals(manifest, folder)
    return createInlineWorker({
      functions: pathToFileURL(join(folder, 'functions.js')).href,
      workerId: 'inline',
      onMessage: (message) => this.#receive(message),
    })
  }

  #send(message: Parameters<InlineWorker['send']>[0]): void {
    void this.#worker?.then((worker) => worker.send(message))
  }

  #receive(message: WorkerMessage): void {
    const task = this.#tasks.get(message.id)
    if (task === undefined) return
    switch (message.kind) {
      case 'item':
        return task.onItem(message.value)
      case 'result':
      case 'error':
      case 'end':
      case 'lost': {
        this.#tasks.delete(message.id)
        const verdict = settleByAnswer(task, message)
        if (verdict !== undefined) task.reject(verdict.kind === 'failed' ? verdict.error : new Error(verdict.why))
        return undefined
      }
      default:
        return undefined
    }
  }
}
