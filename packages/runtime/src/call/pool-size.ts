import { clearTimeout, performance, setTimeout } from '@turbolift/worker-base/clock'

import type { PoolConfig } from '../config.ts'
import type { Deployment } from '../deploy/platform.ts'
import type { WorkerClient } from './client.ts'
import type { WorkerConnections } from './connections.ts'
import { wantedReplicas } from './scale.ts'

/** While nobody knows how large the pool may be. */
const UNKNOWN_APPETITE = 64

/** Workers that are asked for at once; twice as many each time that calls have waited for `CROWDED_MS`. */
const FIRST_WORKERS = 16
const CROWDED_MS = 1_000

export interface PoolLoad {
  /** How many calls wait in the program. */
  queued(): number
  /** There are no workers, and none can be had now. */
  onNone(error: unknown): void
}

/** How many workers a pool has: more as its load asks for them, fewer when they are idle. */
export class PoolSize {
  readonly #config: PoolConfig
  readonly #connections: WorkerConnections
  readonly #load: PoolLoad
  #deployment: Deployment | undefined
  #replicas = 0
  /** The platform has refused more workers a moment ago. */
  #isRefused = false
  #most = FIRST_WORKERS
  #crowdedTimer: NodeJS.Timeout | undefined
  #idleTimer: NodeJS.Timeout | undefined

  constructor(config: PoolConfig, connections: WorkerConnections, load: PoolLoad) {
    this.#config = config
    this.#connections = connections
    this.#load = load
  }

  /** How long calls take; `Infinity` when that is not known. */
  get #averageMs(): number {
    let averageMs = Infinity
    for (const { pace } of this.#connections.clients) averageMs = Math.min(averageMs, pace.averageMs)
    return averageMs
  }

  /** Calls that run at a time in the workers there are. */
  get slots(): number {
    let slots = 0
    for (const client of this.#connections.clients) slots += client.slots
    return slots
  }

  /** Calls at a time that keep busy what is there and what may still be started. */
  get appetite(): number {
    if (this.#deployment === undefined) return UNKNOWN_APPETITE
    let ahead = 0
    for (const client of this.#connections.clients) ahead += client.pace.ahead
    return 2 * (this.#deployment.maxReplicas * this.#deployment.slotsPerWorker + ahead)
  }

  start(deployment: Deployment): void {
    this.#deployment = deployment
    this.grow()
  }

  stop(): void {
    this.#deployment = undefined
    clearTimeout(this.#idleTimer)
    clearTimeout(this.#crowdedTimer)
  }

  /** More calls wait, or fewer: asks for more workers if that is worth it. */
  grow(): void {
    const deployment = this.#deployment
    if (deployment === undefined) return
    this.#armIdleTimer()
    if (this.#replicas >= deployment.maxReplicas) return
    this.#armCrowdedTimer()
    const wanted = this.#wanted(deployment)
    if (wanted <= this.#replicas || this.#isRefused) return
    const before = this.#replicas
    // Before it is asked: the answer may be there when this returns.
    this.#replicas = wanted
    try {
      deployment.scaleTo(wanted)
    } catch (error) {
      this.accept(before, error)
    }
  }

  /** More than these workers cannot be had now. Those that are there do the work; without any, nobody does. */
  accept(replicas: number, error: unknown): void {
    this.#replicas = replicas
    // Not with each call that comes: with the next look at those that wait.
    this.#isRefused = replicas > 0
    if (replicas === 0) this.#load.onNone(error)
  }

  /** A worker is gone: it is replaced only if the load still asks for as many. */
  shrink(): void {
    if (this.#deployment === undefined) return
    const needed = this.#wanted(this.#deployment, this.#connections.clients.size)
    if (needed >= this.#replicas) return
    this.#deployment.scaleTo(needed)
    this.#replicas = needed
  }

  #wanted({ slotsPerWorker, maxReplicas }: Deployment, replicas: number = this.#replicas): number {
    let pending = this.#load.queued()
    for (const { inFlight } of this.#connections.clients) pending += inFlight.size
    const averageMs = this.#averageMs
    const { minReplicas } = this.#config
    const limits = { most: this.#most, slotsPerWorker, minReplicas, maxReplicas }
    return wantedReplicas({ pending, averageMs, replicas, ...limits })
  }

  // Calls that wait, time after time, need more workers than seemed enough.
  #armCrowdedTimer(): void {
    if (this.#load.queued() === 0) {
      clearTimeout(this.#crowdedTimer)
      this.#crowdedTimer = undefined
      this.#isRefused = false
      return
    }
    this.#crowdedTimer ??= setTimeout(() => {
      this.#crowdedTimer = undefined
      this.#isRefused = false
      this.#most = Math.max(this.#most, this.#replicas * 2)
      this.grow()
    }, CROWDED_MS).unref()
  }

  #armIdleTimer(): void {
    if (this.#idleTimer !== undefined || this.#replicas <= this.#config.minReplicas) return
    this.#idleTimer = setTimeout(() => this.#stopIdle(), this.#config.idleTimeoutMs).unref()
  }

  #stopIdle(): void {
    this.#idleTimer = undefined
    const before = performance.now() - this.#config.idleTimeoutMs
    const idle = this.#spare(
      [...this.#connections.clients].filter(
        (client) => client.inFlight.size === 0 && client.idleSinceMs <= before && !client.isDraining,
      ),
    )
    if (idle.length > 0) {
      for (const client of idle) client.isDraining = true
      const replicas = this.#deployment?.isSizedElsewhere === true ? 0 : this.#replicas - idle.length
      this.#deployment?.scaleTo(replicas, { idle: idle.map((client) => client.workerId) })
      this.#replicas = replicas
    }
    this.#armIdleTimer()
  }

  /** Those that may go. What an autoscaler counts goes all at once or not at all: which ones stay is not for us to say. */
  #spare(idle: readonly WorkerClient[]): readonly WorkerClient[] {
    const { minReplicas } = this.#config
    if (this.#deployment?.isSizedElsewhere !== true) return idle.slice(0, this.#replicas - minReplicas)
    return minReplicas === 0 && idle.length === this.#connections.clients.size ? idle : []
  }
}
