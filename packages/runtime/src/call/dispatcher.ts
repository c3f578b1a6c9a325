import type { Log } from '@turbolift/worker-base/wire'

import type { PoolConfig } from '../config.ts'
import type { Deployment, DeploymentEvents } from '../deploy/platform.ts'
import { callTooLarge, queueFull, runEnded, workerLost } from './errors.ts'
import type { LiftError } from '../errors.ts'
import { reportCall } from '../watch/call-report.ts'
import { events } from '../watch/events.ts'
import { settleByAnswer } from './answer.ts'
import type { AnswerMessage, ClientEvents, WorkerClient } from './client.ts'
import { WorkerConnections } from './connections.ts'
import { Fifo } from './fifo.ts'
import { KeepAlive } from './keep-alive.ts'
import { PoolSize } from './pool-size.ts'
import { Task } from './task.ts'
import type { CallRequest, CallSink, Calls } from './task.ts'

/** Tries of a call whose workers go away. */
const MOST_ATTEMPTS = 3

export interface DispatcherOptions {
  /** The pool's. */
  readonly name: string
  readonly pool: PoolConfig
  /** Manifest hash. */
  readonly build: string
  /** Called with the first call. */
  readonly deploy: (events: DeploymentEvents) => Promise<Deployment>
  readonly onLog: (workerId: string, log: Log) => void
}

/** Gives the calls of one pool to its workers. */
export class Dispatcher implements Calls, AsyncDisposable {
  readonly #options: DispatcherOptions
  readonly #queue: Fifo<Task> = new Fifo()
  readonly #keepAlive: KeepAlive = new KeepAlive()
  readonly #connections: WorkerConnections
  readonly #size: PoolSize
  #deployment: Promise<Deployment | undefined> | undefined
  #failure: LiftError | undefined
  #isDisposed = false

  constructor(options: DispatcherOptions) {
    this.#options = options
    this.#connections = new WorkerConnections({
      build: options.build,
      events: this.#clientEvents(),
      onUnreachable: (_, error) => this.#failAll(error),
    })
    this.#size = new PoolSize(options.pool, this.#connections)
  }

  get appetite(): number {
    return this.#size.appetite
  }

  /** Takes a call. The sink may hear of a refusal before this returns. */
  submit(request: CallRequest, sink: CallSink): Task {
    const task = new Task(request, sink, reportCall(request, this.#options.name))
    const refusal = this.#refusal(request)
    if (refusal !== undefined) {
      task.reject(refusal)
      return task
    }
    this.#keepAlive.hold()
    task.onSettled = () => this.#keepAlive.release()
    if (request.signal !== undefined) this.#watchSignal(task, request.signal)
    this.#deployment ??= this.#deploy()
    const client = this.#queue.size === 0 ? this.#connections.roomiest() : undefined
    if (client === undefined) this.#queue.push(task)
    else this.#send(client, task)
    this.#size.grow(this.#queue.size)
    return task
  }

  /** Ends a call early: its caller hears `reason` at once, its worker is told to stop. */
  cancel(task: Task, reason: unknown): void {
    if (task.isSettled) return
    task.host?.cancel(task, reason)
    task.reject(reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    this.#connections.close()
    this.#size.stop()
    const deployment = await this.#deployment
    await deployment?.[Symbol.asyncDispose]()
    this.#keepAlive.stop()
  }

  #refusal(request: CallRequest): unknown {
    if (request.signal?.aborted === true) return request.signal.reason
    if (this.#isDisposed) return runEnded(request.name)
    const most = this.#options.pool.maxQueuedCalls
    return this.#queue.size >= most ? queueFull(request.name, most) : this.#failure
  }

  #watchSignal(task: Task, signal: AbortSignal): void {
    const abort = () => this.cancel(task, signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    task.onSettled = () => {
      signal.removeEventListener('abort', abort)
      this.#keepAlive.release()
    }
  }

  async #deploy(): Promise<Deployment | undefined> {
    try {
      const deployment = await this.#options.deploy(this.#deploymentEvents())
      this.#size.start(deployment, this.#queue.size)
      return deployment
    } catch (error) {
      // Not only errors of ours: what stands in the way of workers stands in the way of every call. The next one tries anew.
      this.#deployment = undefined
      this.#rejectQueue(error)
      return undefined
    }
  }

  #deploymentEvents(): DeploymentEvents {
    return {
      onWorker: (address) => this.#connections.open(address),
      onWorkerGone: (workerId, reason) => {
        events['worker:gone'].emit({ workerId, pool: this.#options.name, error: reason })
        const client = this.#connections.remove(workerId, reason)
        if (client !== undefined) this.#rescue(client, reason ?? runEnded('a worker'))
        this.#size.shrinkTo(this.#queue.size)
        this.#pump()
      },
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
      onDraining: () => this.#size.grow(this.#queue.size),
      onLost: (client, error) => {
        this.#connections.replace(client)
        this.#rescue(client, error)
        this.#pump()
      },
    }
  }

  #pump(): void {
    for (;;) {
      const task = this.#queue.peek()
      if (task === undefined) break
      if (!task.isSettled) {
        // What was there when two workers went away gets one for itself, so that it alone is to blame for the third.
        const client = task.losses < MOST_ATTEMPTS - 1 ? this.#connections.roomiest() : this.#connections.idle()
        if (client === undefined) break
        this.#send(client, task)
      }
      this.#queue.shift()
    }
    this.#size.grow(this.#queue.size)
  }

  #send(client: WorkerClient, task: Task): void {
    try {
      client.send(task, this.#options.pool.timeoutMs ?? 0)
    } catch (error) {
      task.reject(error instanceof Error ? callTooLarge(task.request.name, error) : error)
      return
    }
    task.report?.start(client.workerId)
    client.isExclusive = task.losses >= MOST_ATTEMPTS - 1
    if (task.sink.window !== undefined) client.allow(task, task.sink.window)
  }

  #onAnswer(task: Task, message: AnswerMessage): void {
    const verdict = settleByAnswer(task, message)
    if (verdict === undefined) return
    if (verdict.kind === 'failed') task.reject(verdict.error)
    else this.#tryAgain(task, { countsAsAttempt: verdict.countsAsAttempt, seen: new Error(verdict.why) })
  }

  /** A worker is gone: the oldest of its calls were running, the others only waited there. */
  #rescue(client: WorkerClient, error: LiftError): void {
    const tasks = [...client.inFlight.values()]
    client.inFlight.clear()
    const isRunning = (index: number) => index < client.slots
    for (const [index, task] of tasks.entries()) {
      task.host = undefined
      if (isRunning(index)) task.losses += 1
    }
    for (const [index, task] of [...tasks.entries()].toReversed()) {
      const why = async () => this.#connections.whyGone(client.workerId, error)
      this.#tryAgain(task, { countsAsAttempt: isRunning(index), seen: error, why })
    }
  }

  #tryAgain(task: Task, { countsAsAttempt, seen, why }: Loss): void {
    if (task.isSettled) return
    if (countsAsAttempt) task.attempts += 1
    const isLast = task.attempts >= MOST_ATTEMPTS || task.items > 0
    if (!isLast) {
      if (countsAsAttempt) task.report?.retry(seen)
      this.#queue.unshift([task])
    } else if (why === undefined) task.reject(workerLost(task.request.name, task.attempts, seen))
    else void why().then((cause) => task.reject(workerLost(task.request.name, task.attempts, cause)))
  }

  #failAll(error: LiftError): void {
    this.#failure = error
    this.#rejectQueue(error)
    for (const client of this.#connections.clients) {
      for (const task of client.inFlight.values()) task.reject(error)
    }
  }

  #rejectQueue(error: unknown): void {
    for (let task = this.#queue.shift(); task !== undefined; task = this.#queue.shift()) task.reject(error)
  }
}

interface Loss {
  readonly countsAsAttempt: boolean
  /** What the program saw of it. */
  readonly seen: Error
  /** What the platform says to it; only asked for when it was the last try. */
  readonly why?: () => Promise<unknown>
}
