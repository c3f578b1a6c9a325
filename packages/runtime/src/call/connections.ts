import { clearTimeout, setTimeout, timeoutSignal } from '@turbolift/worker-base/clock'
import { HandshakeError, performHandshake } from '@turbolift/worker-base/wire'

import type { WorkerAddress } from '../deploy/platform.ts'
import { workerRefused, workerUnreachable } from '../deploy/worker-errors.ts'
import { LiftError } from '../errors.ts'
import { WorkerClient } from './client.ts'
import type { ClientEvents } from './client.ts'

/** Time for a worker to answer a connection. */
const HANDSHAKE_MS = 10_000
const LONGEST_REDIAL_MS = 5_000
const REDIAL_MS = [0, 100, 500, 2_000, LONGEST_REDIAL_MS]
/** A worker whose connection broke and could not be made again in this time counts as gone. */
const FATE_MS = 1_000

export interface ConnectionsOptions {
  /** Manifest hash. */
  readonly build: string
  readonly events: ClientEvents
  /** How often workers are asked whether they are still there. */
  readonly pingMs: number
  /** A worker cannot be connected to, though its platform says that it is there. */
  readonly onUnreachable: (workerId: string, error: LiftError) => void
}

/** What became of a worker whose connection broke. */
export interface Fate {
  /** It is gone, as far as anybody knows; otherwise only the connection was lost, and is there again. */
  readonly isGone: boolean
  readonly reason: LiftError
}

interface Worker {
  readonly address: WorkerAddress
  /** Aborted when the platform says that the worker is gone. */
  readonly gone: AbortController
  client: WorkerClient | undefined
  /** Connections that were made and broke before the worker said hello, one after the other. */
  fruitless: number
  /** Told when the connection is there again. */
  onAgain: (() => void) | undefined
}

/** The connections to the workers of one pool: one each, made again when it breaks and the worker is still there. */
export class WorkerConnections {
  readonly #options: ConnectionsOptions
  readonly #workers: Map<string, Worker> = new Map()
  /** Those that are of use. */
  readonly clients: Set<WorkerClient> = new Set()

  constructor(options: ConnectionsOptions) {
    this.#options = options
  }

  open(address: WorkerAddress): void {
    const worker: Worker = { address, gone: new AbortController(), client: undefined, fruitless: 0, onAgain: undefined }
    this.#workers.set(address.id, worker)
    void this.#connect(worker)
  }

  /** The connection is of use: the worker said hello. */
  add(client: WorkerClient): void {
    this.clients.add(client)
    const worker = this.#workers.get(client.workerId)
    if (worker === undefined) return
    worker.fruitless = 0
    worker.onAgain?.()
  }

  /** The connection broke, as `seen` says: tries to make it again. Resolves when it is known what became of the worker. */
  async replace(client: WorkerClient, seen: LiftError): Promise<Fate> {
    this.clients.delete(client)
    const worker = this.#workers.get(client.workerId)
    if (worker === undefined || worker.client !== client) return { isGone: true, reason: seen }
    worker.client = undefined
    const fate = awaitFate(worker, seen)
    void this.#connect(worker, seen)
    return fate
  }

  /** The platform says that a worker is gone. Returns its connection, if it had one that was of use. */
  remove(workerId: string, reason: LiftError | undefined): WorkerClient | undefined {
    const worker = this.#workers.get(workerId)
    if (worker === undefined) return undefined
    this.#workers.delete(workerId)
    worker.gone.abort(reason)
    const { client } = worker
    client?.close()
    return client !== undefined && this.clients.delete(client) ? client : undefined
  }

  /** The one with the most room for its size; `undefined` when all are busy. */
  roomiest(): WorkerClient | undefined {
    let best: WorkerClient | undefined
    let fewest = Infinity
    for (const client of this.clients) {
      const filled = client.inFlight.size / client.slots
      if (filled >= fewest || client.room <= 0) continue
      best = client
      fewest = filled
    }
    return best
  }

  /** One has nothing to do, while calls wait in another. */
  get isUneven(): boolean {
    let [hasIdle, hasWaiting] = [false, false]
    for (const { inFlight, slots } of this.clients) {
      if (inFlight.size === 0) hasIdle = true
      else if (inFlight.size > slots) hasWaiting = true
    }
    return hasIdle && hasWaiting
  }

  /** One without any calls. */
  idle(): WorkerClient | undefined {
    const best = this.roomiest()
    return best?.inFlight.size === 0 ? best : undefined
  }

  /** Aborts what runs in the workers. Its callers are not told: the program is ending. */
  cancelCalls(toReason: (name: string) => Error): void {
    for (const client of this.clients) {
      for (const task of client.inFlight.values()) client.cancel(task, toReason(task.request.name))
    }
  }

  close(): void {
    for (const worker of this.#workers.values()) {
      worker.gone.abort()
      worker.client?.close()
    }
    this.#workers.clear()
    this.clients.clear()
  }

  /** @param seen why it broke, if it was there before */
  async #connect(worker: Worker, seen?: LiftError): Promise<void> {
    const { signal } = worker.gone
    let failure = seen
    // While its platform is cut off too, the platform decides how long that may last.
    for (
      let turn = worker.fruitless;
      turn < REDIAL_MS.length || (await worker.address.isCutOff?.()) === true;
      turn += 1
    ) {
      await pause(REDIAL_MS[turn] ?? LONGEST_REDIAL_MS, signal)
      if (signal.aborted) return
      failure = await this.#dial(worker)
      if (failure === undefined) {
        worker.fruitless = turn + 1
        return
      }
    }
    if (failure !== undefined && !signal.aborted) this.#options.onUnreachable(worker.address.id, failure)
  }

  async #dial(worker: Worker): Promise<LiftError | undefined> {
    const { id, token, route } = worker.address
    const { build, events, pingMs } = this.#options
    // A process that is stopped accepts connections, and says nothing.
    const signal = AbortSignal.any([worker.gone.signal, timeoutSignal(HANDSHAKE_MS)])
    try {
      const stream = await worker.address.dial({ signal })
      await performHandshake(stream, { token, build, signal, ...route })
      worker.client = new WorkerClient({ workerId: id, stream, events, pingMs })
      return undefined
    } catch (error) {
      return error instanceof HandshakeError ? workerRefused(id, error) : workerUnreachable(id, error)
    }
  }
}

function awaitFate(worker: Worker, seen: LiftError): Promise<Fate> {
  const { signal } = worker.gone
  return new Promise((resolve) => {
    const settle = (fate: Fate) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onGone)
      worker.onAgain = undefined
      resolve(fate)
    }
    const onGone = () => settle({ isGone: true, reason: signal.reason instanceof LiftError ? signal.reason : seen })
    const timer = setTimeout(() => settle({ isGone: true, reason: seen }), FATE_MS)
    signal.addEventListener('abort', onGone)
    worker.onAgain = () => settle({ isGone: false, reason: seen })
  })
}

async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  if (delayMs === 0) return
  await new Promise<void>((resolve) => {
    const finish = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', finish)
      resolve()
    }
    const timer = setTimeout(finish, delayMs).unref()
    signal.addEventListener('abort', finish)
  })
}
