import type { PoolConfig } from '../config.ts'
import type { Deployment } from '../deploy/platform.ts'
import type { WorkerConnections } from './connections.ts'
import { wantedReplicas } from './scale.ts'

/** While nobody knows how large the pool may be. */
const UNKNOWN_APPETITE = 64

/** How many workers a pool has: more as its load asks for them, fewer when they are idle. */
export class PoolSize {
  readonly #config: PoolConfig
  readonly #connections: WorkerConnections
  #deployment: Deployment | undefined
  #replicas = 0
  #idleTimer: NodeJS.Timeout | undefined

  constructor(config: PoolConfig, connections: WorkerConnections) {
    this.#config = config
    this.#connections = connections
  }

  /** Calls at a time that keep busy what is there and what may still be started. */
  get appetite(): number {
    if (this.#deployment === undefined) return UNKNOWN_APPETITE
    let ahead = 0
    for (const client of this.#connections.clients) ahead += client.pace.ahead
    return 2 * (this.#deployment.maxReplicas * this.#deployment.slotsPerWorker + ahead)
  }

  start(deployment: Deployment, queued: number): void {
    this.#deployment = deployment
    this.grow(queued)
  }

  stop(): void {
    this.#deployment = undefined
    clearTimeout(this.#idleTimer)
  }

  /** More calls wait, or fewer: asks for more workers if that is worth it. */
  grow(queued: number): void {
    const deployment = this.#deployment
    if (deployment === undefined) return
    this.#armIdleTimer()
    if (this.#replicas >= deployment.maxReplicas) return
    const wanted = this.#wanted(queued, deployment)
    if (wanted <= this.#replicas) return
    this.#replicas = wanted
    deployment.scaleTo(wanted)
  }

  /** A worker is gone: it is replaced only if the load still asks for as many. */
  shrinkTo(queued: number): void {
    if (this.#deployment === undefined) return
    const needed = this.#wanted(queued, this.#deployment, this.#connections.clients.size)
    if (needed >= this.#replicas) return
    this.#replicas = needed
    this.#deployment.scaleTo(needed)
  }

  #wanted(queued: number, deployment: Deployment, replicas: number = this.#replicas): number {
    let inFlight = 0
    let averageMs = Infinity
    for (const client of this.#connections.clients) {
      inFlight += client.inFlight.size
      averageMs = Math.min(averageMs, client.pace.averageMs)
    }
    const { slotsPerWorker, maxReplicas } = deployment
    const { minReplicas } = this.#config
    return wantedReplicas({ pending: queued + inFlight, averageMs, slotsPerWorker, minReplicas, maxReplicas, replicas })
  }

  #armIdleTimer(): void {
    if (this.#idleTimer !== undefined || this.#replicas <= this.#config.minReplicas) return
    this.#idleTimer = setTimeout(() => this.#stopIdle(), this.#config.idleTimeoutMs).unref()
  }

  #stopIdle(): void {
    this.#idleTimer = undefined
    const before = performance.now() - this.#config.idleTimeoutMs
    const isIdle = [...this.#connections.clients].filter(
      (client) => client.inFlight.size === 0 && client.idleSinceMs <= before && !client.isDraining,
    )
    const idle = isIdle.slice(0, this.#replicas - this.#config.minReplicas)
    if (idle.length > 0) {
      for (const client of idle) client.isDraining = true
      this.#replicas -= idle.length
      this.#deployment?.scaleTo(this.#replicas, { idle: idle.map((client) => client.workerId) })
    }
    this.#armIdleTimer()
  }
}
