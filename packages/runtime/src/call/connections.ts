import { HandshakeError, performHandshake } from '@turbolift/worker-base/wire'

import type { WorkerAddress } from '../deploy/platform.ts'
import { workerRefused, workerUnreachable } from '../deploy/worker-errors.ts'
import type { LiftError } from '../errors.ts'
import { WorkerClient } from './client.ts'
import type { ClientEvents } from './client.ts'

const REDIAL_MS = [0, 100, 500, 2_000, 5_000]
/** How long to wait for the platform to say why a worker whose connection broke is gone. */
const REASON_MS = 1_000

export interface ConnectionsOptions {
  /** Manifest hash. */
  readonly build: string
  readonly events: ClientEvents
  /** A worker cannot be connected to, though its platform says that it is there. */
  readonly onUnreachable: (workerId: string, error: LiftError) => void
}

interface Worker {
  readonly address: WorkerAddress
  /** Aborted when the platform says that the worker is gone. */
  readonly gone: AbortController
  client: WorkerClient | undefined
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
    const worker: Worker = { address, gone: new AbortController(), client: undefined }
    this.#workers.set(address.id, worker)
    void this.#connect(worker)
  }

  /** The connection is of use: the worker said hello. */
  add(client: WorkerClient): void {
    this.clients.add(client)
  }

  /** The connection broke; tries to make it again. */
  replace(client: WorkerClient): void {
    this.clients.delete(client)
    const worker = this.#workers.get(client.workerId)
    if (worker === undefined || worker.client !== client) return
    worker.client = undefined
    void this.#connect(worker)
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

  /** Why a worker is gone: what the platform says within a moment, else `seen`. */
  async whyGone(workerId: string, seen: LiftError): Promise<unknown> {
    const signal = this.#workers.get(workerId)?.gone.signal
    if (signal === undefined) return seen
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(seen), REASON_MS)
      signal.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve(signal.reason ?? seen)
      })
    })
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

  /** One without any calls. */
  idle(): WorkerClient | undefined {
    const best = this.roomiest()
    return best?.inFlight.size === 0 ? best : undefined
  }

  close(): void {
    for (const worker of this.#workers.values()) {
      worker.gone.abort()
      worker.client?.close()
    }
    this.#workers.clear()
    this.clients.clear()
  }

  async #connect(worker: Worker): Promise<void> {
    const { signal } = worker.gone
    let failure: LiftError | undefined
    for (const delayMs of REDIAL_MS) {
      await pause(delayMs, signal)
      if (signal.aborted) return
      failure = await this.#dial(worker)
      if (failure === undefined) return
    }
    if (failure !== undefined && !signal.aborted) this.#options.onUnreachable(worker.address.id, failure)
  }

  async #dial(worker: Worker): Promise<LiftError | undefined> {
    const { id, token, route } = worker.address
    const { signal } = worker.gone
    try {
      const stream = await worker.address.dial({ signal })
      await performHandshake(stream, { token, build: this.#options.build, signal, ...route })
      worker.client = new WorkerClient({ workerId: id, stream, events: this.#options.events })
      return undefined
    } catch (error) {
      return error instanceof HandshakeError ? workerRefused(id, error) : workerUnreachable(id, error)
    }
  }
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
