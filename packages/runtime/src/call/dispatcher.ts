import { clearTimeout, performance, setTimeout } from '@turbolift/worker-base/clock'
import type { Log } from '@turbolift/worker-base/wire'

import type { PoolConfig } from '../config.ts'
import type { Deployment, DeploymentEvents } from '../deploy/platform.ts'
import { workerStopped } from '../deploy/worker-errors.ts'
import { callTooLarge, queueFull, runEnded } from './errors.ts'
import type { LiftError } from '../errors.ts'
import { reportCall } from '../watch/call-report.ts'
import { events } from '../watch/events.ts'
import { settleByAnswer } from './answer.ts'
import type { AnswerMessage, ClientEvents, WorkerClient } from './client.ts'
import { WorkerConnections } from './connections.ts'
import type { Fate } from './connections.ts'
import { DroppedReaders } from './dropped.ts'
import { KeepAlive } from './keep-alive.ts'
import { breaksBatch, isSuspect, mayRunAgain } from './loss.ts'
import { PoolSize } from './pool-size.ts'
import { abortedSignal, watchSignals } from './signals.ts'
import { Task } from './task.ts'
import type { Batches, CallRequest, CallSink, Calls } from './task.ts'
import { WaitingCalls } from './waiting-calls.ts'

/** How often it is looked whether calls wait in one worker while another is idle. */
const RECALL_MS = 20
const PING_MS = 5_000

export interface DispatcherOptions {
  readonly name: string
  readonly pool: PoolConfig
  /** Manifest hash. */
  readonly build: string
  /** How often workers are asked whether they are still there. Default 5_000. */
  readonly pingMs?: number
  readonly deploy: (events: DeploymentEvents) => Promise<Deployment>
  readonly onLog: (workerId: string, log: Log) => void
}

/** Gives the calls of one pool to its workers. */
export class Dispatcher implements Calls, Batches, AsyncDisposable {
  readonly #options: DispatcherOptions
  readonly #waiting: WaitingCalls = new WaitingCalls()
  readonly #keepAlive: KeepAlive = new KeepAlive()
  readonly #connections: WorkerConnections
  readonly #size: PoolSize
  readonly #dropped: DroppedReaders
  #deployment: Promise<Deployment | undefined> | undefined
  #recallTimer: NodeJS.Timeout | undefined
  #failure: LiftError | undefined
  #isDisposed = false

  constructor(options: DispatcherOptions) {
    this.#options = options
    this.#connections = new WorkerConnections({
      build: options.build,
      events: this.#clientEvents(),
      pingMs: options.pingMs ?? PING_MS,
      onUnreachable: (workerId, error) => {
        this.#discard(workerId)
        // As long as others can be reached, they do its work.
        if (this.#connections.clients.size === 0) this.#rejectAll(error)
      },
    })
    this.#dropped = new DroppedReaders(this.#waiting, this.#connections)
    this.#size = new PoolSize(options.pool, this.#connections, {
      queued: () => this.#waiting.size,
      // As long as there are workers, what waits has somebody to wait for.
      onNone: (error) => this.#rejectAll(error),
    })
  }

  get isBusy(): boolean {
    return this.#keepAlive.isHeld
  }

  get appetite(): number {
    return this.#size.appetite
  }

  /** A time limit is that of each single call. */
  get batches(): Batches | undefined {
    return (this.#options.pool.timeoutMs ?? 0) === 0 ? this : undefined
  }

  get slots(): number {
    return this.#size.slots
  }

  submit(request: CallRequest, sink: CallSink): Task {
    const task = this.#admit(request, sink, this.#refusal(request) ?? this.#fullQueue(request))
    if (task.isSettled) return task
    this.#deployment ??= this.#deploy()
    const client = this.#waiting.size === 0 ? this.#connections.roomiest() : undefined
    if (client === undefined) this.#waiting.push(task)
    else this.#send(client, task)
    this.#dropped.expect()
    this.#size.grow()
    return task
  }

  resume(request: CallRequest, sink: CallSink, answer: AnswerMessage): Task {
    const task = this.#admit(request, sink, this.#refusal(request))
    this.#onAnswer(task, answer)
    return task
  }

  #admit(request: CallRequest, sink: CallSink, refusal: unknown): Task {
    const task = new Task(request, sink, reportCall(request, this.#options.name))
    if (refusal !== undefined) {
      task.reject(refusal)
      return task
    }
    task.keepAlive = this.#keepAlive
    task.isAwaited = true
    task.owner = this.#waiting
    task.unwatch = watchSignals(task, this)
    return task
  }

  cancel(task: Task, reason: unknown): void {
    if (task.isSettled) return
    task.reject(reason)
    task.host?.cancel(task, reason)
  }

  abort(task: Task, reason: unknown): void {
    task.aborted ??= { reason }
    if (task.host === undefined) this.cancel(task, reason)
    else task.host.cancel(task, reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    this.#size.stop()
    this.#dropped.stop()
    this.#connections.cancelCalls(runEnded)
    clearTimeout(this.#recallTimer)
    const deployment = await this.#deployment
    // Until they are gone workers may print, in their stop hooks.
    await deployment?.[Symbol.asyncDispose]()
    this.#connections.close()
    this.#keepAlive.stop()
  }

  #refusal(request: CallRequest): unknown {
    const aborted = abortedSignal(request)
    if (aborted !== undefined) return aborted.reason
    return this.#isDisposed ? runEnded(request.name) : this.#failure
  }

  /** A map sees to it by itself that not too many of its calls wait. */
  #fullQueue({ name, mapId }: CallRequest): LiftError | undefined {
    const most = this.#options.pool.maxQueuedCalls
    return mapId === undefined && this.#waiting.size >= most ? queueFull(name, most) : undefined
  }

  async #deploy(): Promise<Deployment | undefined> {
    try {
      const deployment = await this.#options.deploy(this.#deploymentEvents())
      this.#size.start(deployment)
      return deployment
    } catch (error) {
      // Not only errors of ours: what stands in the way of workers stands in the way of every call. The next one tries anew.
      this.#deployment = undefined
      this.#rejectAll(error)
      return undefined
    }
  }

  #deploymentEvents(): DeploymentEvents {
    return {
      onWorker: (address) => this.#connections.open(address),
      onWorkerGone: (workerId, reason) => {
        events['worker:gone'].emit({ workerId, pool: this.#options.name, error: reason })
        const client = this.#connections.remove(workerId, reason)
        const why = reason ?? workerStopped(workerId)
        if (client !== undefined)
          void this.#rescue(client, Promise.resolve({ isGone: reason !== undefined, reason: why }))
        this.#size.shrink()
      },
      onRefused: (replicas, error) => this.#size.accept(replicas, error),
      onFailed: (error) => this.#failAll(error),
    }
  }

  #clientEvents(): ClientEvents {
    return {
      onReady: (client) => {
        events['worker:ready'].emit({ workerId: client.workerId, pool: this.#options.name })
        this.#connections.add(client)
        this.#pump()
      },
      onAnswer: (task, message) => this.#onAnswer(task, message),
      onRoom: () => this.#pump(),
      onLog: (client, log) => this.#options.onLog(client.workerId, log),
      onDraining: () => this.#size.grow(),
      onLost: (client, error) => {
        if (error.code === 'WORKER_FAILED') return this.#giveUp(client, error)
        if (error.code === 'WORKER_SILENT') this.#discard(client.workerId)
        void this.#rescue(client, this.#connections.replace(client, error))
      },
    }
  }

  /** The worker's code does not load: it is not connected to again, and what another one cannot do fails. */
  #giveUp(client: WorkerClient, error: LiftError): void {
    this.#connections.remove(client.workerId, error)
    void this.#rescue(client, Promise.resolve({ isGone: true, reason: error }))
    if (this.#connections.clients.size === 0) this.#failAll(error)
    else this.#discard(client.workerId)
  }

  #discard(workerId: string): void {
    void this.#deployment?.then((deployment) => deployment?.discard?.(workerId))
  }

  #pump(): void {
    if (this.#isDisposed) return
    for (;;) {
      const task = this.#waiting.peek()
      if (task === undefined) break
      const client = isSuspect(task) ? this.#connections.idle() : this.#connections.roomiest()
      if (client === undefined) break
      this.#waiting.shift()
      this.#send(client, task)
    }
    this.#size.grow()
    if (this.#waiting.size === 0 && this.#connections.isUneven) this.#armRecall()
  }

  // Calls that were sent ahead and wait behind a slow one come back when another worker has nothing to do.
  #armRecall(): void {
    this.#recallTimer ??= setTimeout(() => {
      this.#recallTimer = undefined
      if (this.#waiting.size > 0 || !this.#connections.isUneven) return
      for (const client of this.#connections.clients) client.recallWaiting(performance.now())
      this.#armRecall()
    }, RECALL_MS).unref()
  }

  #send(client: WorkerClient, task: Task): void {
    try {
      client.send(task, this.#options.pool.timeoutMs ?? 0)
    } catch (error) {
      task.reject(error instanceof Error ? callTooLarge(task.request.name, error) : error)
      return
    }
    task.report?.start(client.workerId)
    client.isExclusive = isSuspect(task)
    if (task.sink.window !== undefined) client.allow(task, task.sink.window)
  }

  #onAnswer(task: Task, message: AnswerMessage): void {
    if (task.isSettled) return
    if (breaksBatch(task, message)) return task.break()
    const verdict = settleByAnswer(task, message)
    if (verdict === undefined) return
    if (verdict.kind === 'failed') {
      task.fail(verdict.error, () => this.#again(task))
      if (!task.isSettled) this.#waiting.strand(task)
    } else {
      const loss = { wasRunning: verdict.countsAsAttempt, isGone: true, reason: new Error(verdict.why) }
      if (mayRunAgain(task, loss)) this.#waiting.putBack([task])
    }
  }

  #again(task: Task): void {
    this.#waiting.push(task)
    this.#pump()
  }

  /**
   * The calls of a connection that is gone. If its worker is gone too, the oldest of them were running there and may be
   * to blame; the others only waited.
   */
  async #rescue(client: WorkerClient, fate: Promise<Fate>): Promise<void> {
    const tasks = [...client.inFlight.values()]
    client.inFlight.clear()
    for (const task of tasks) {
      task.host = undefined
      this.#waiting.strand(task)
    }
    const { isGone, reason } = await fate
    const again = tasks.filter((task, index) => mayRunAgain(task, { wasRunning: index < client.slots, isGone, reason }))
    this.#waiting.putBack(again)
    this.#size.shrink()
    this.#pump()
  }

  #failAll(error: LiftError): void {
    this.#failure = error
    this.#rejectAll(error)
  }

  #rejectAll(error: unknown): void {
    const inFlight = [...this.#connections.clients].flatMap((client) => [...client.inFlight.values()])
    // Who hears of it may make new calls at once: those are not among them.
    for (const task of [...inFlight, ...this.#waiting.clear()]) task.reject(error)
  }
}
