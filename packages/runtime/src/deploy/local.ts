import { availableParallelism } from 'node:os'
import { join } from 'node:path'

import { toLabel } from '../call/print-log.ts'
import type { PoolConfig, ResolvedConfig } from '../config.ts'
import type { RunFolder } from '../dispose/run-folder.ts'
import { LiftError } from '../errors.ts'
import { extractFiles } from '../extract.ts'
import { events as runEvents } from '../watch/events.ts'
import { findExternals } from './externals.ts'
import { startLocalWorker } from './local-worker.ts'
import type { LocalWorker } from './local-worker.ts'
import type { DeployRequest, Deployment, DeploymentEvents, Platform } from './platform.ts'
import { processRefused } from './worker-errors.ts'

const START_TIMEOUT_MS = 30_000
/** Starts without success, one after the other, after which the pool is given up. */
const MOST_FAILED_STARTS = 3
/** Time for a worker that is stopped to close what it opened. */
const STOP_GRACE_MS = 5_000

export interface LocalPlatformOptions {
  readonly config: ResolvedConfig
  readonly runFolder: RunFolder
}

/** Runs workers as processes on this machine. */
export function createLocalPlatform(options: LocalPlatformOptions): Platform {
  return new LocalPlatform(options)
}

class LocalPlatform implements Platform {
  readonly #options: LocalPlatformOptions
  readonly #deployments: LocalDeployment[] = []

  constructor(options: LocalPlatformOptions) {
    this.#options = options
  }

  async deploy({ manifest, pool, events }: DeployRequest): Promise<Deployment> {
    const { config, runFolder } = this.#options
    const root = config.run.cacheFolder ?? join(runFolder.path, 'code')
    const folder = await extractFiles(manifest, root, await findExternals(manifest))
    const deployment = new LocalDeployment({
      pool,
      config: config.pool(pool),
      output: config.run.workerOutput,
      folder,
      runFolder: runFolder.path,
      build: manifest.hash,
      events,
    })
    this.#deployments.push(deployment)
    return deployment
  }

  abandon(): void {
    for (const deployment of this.#deployments) deployment.kill()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#deployments.map((deployment) => deployment[Symbol.asyncDispose]()))
  }
}

interface LocalDeploymentOptions {
  readonly pool: string
  readonly config: PoolConfig
  readonly output: 'labelled' | 'raw' | 'none'
  readonly folder: string
  readonly runFolder: string
  readonly build: string
  readonly events: DeploymentEvents
}

class LocalDeployment implements Deployment {
  readonly slotsPerWorker: number
  readonly maxReplicas: number
  readonly #options: LocalDeploymentOptions
  /** Running or starting, and not told to stop. */
  readonly #workers: Map<string, LocalWorker> = new Map()
  /** All that are not gone yet, those that were told to stop included. */
  readonly #alive: Set<LocalWorker> = new Set()
  readonly #stopping: Set<Promise<void>> = new Set()
  readonly #toldToStop: WeakSet<LocalWorker> = new WeakSet()
  #started = 0
  #failedStarts = 0
  #wanted = 0

  constructor(options: LocalDeploymentOptions) {
    this.#options = options
    this.slotsPerWorker = options.config.concurrency ?? 1
    this.maxReplicas = options.config.maxReplicas ?? Math.max(availableParallelism(), options.config.minReplicas)
  }

  scaleTo(replicas: number, { idle }: { readonly idle: readonly string[] } = { idle: [] }): void {
    const ids = [...idle, ...[...this.#workers.keys()].toReversed()]
    for (const id of ids) {
      if (this.#workers.size > replicas) this.#stop(id, STOP_GRACE_MS)
    }
    this.#wanted = replicas
    this.#fill()
  }

  discard(workerId: string): void {
    this.#workers.get(workerId)?.kill()
  }

  kill(): void {
    this.#wanted = 0
    for (const worker of this.#alive) worker.kill()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.scaleTo(0)
    await Promise.all(this.#stopping)
  }

  /** Where the system refuses a process, the pool stays as large as it is. */
  #fill(): void {
    try {
      while (this.#workers.size < this.#wanted) this.#start()
    } catch (cause) {
      this.#wanted = this.#workers.size
      this.#options.events.onRefused(this.#wanted, processRefused(cause))
    }
  }

  #start(): void {
    this.#started += 1
    const { pool, config, output, folder, runFolder, build } = this.#options
    const id = `${pool === 'default' ? 'worker' : pool}-${this.#started}`
    const label = output === 'labelled' ? toLabel(id) : undefined
    const worker = startLocalWorker({
      id,
      codeFolder: folder,
      runFolder,
      build,
      concurrency: this.slotsPerWorker,
      timeoutMs: config.timeoutMs ?? 0,
      output: output === 'none' ? undefined : { label },
    })
    runEvents['worker:started'].emit({ workerId: id, pool })
    this.#workers.set(id, worker)
    this.#alive.add(worker)
    void this.#follow(worker, config.startTimeoutMs ?? START_TIMEOUT_MS)
  }

  async #follow(worker: LocalWorker, timeoutMs: number): Promise<void> {
    const { events } = this.#options
    void worker.gone.then((reason) => {
      this.#alive.delete(worker)
      // One that was told to stop is no loss.
      if (!this.#workers.delete(worker.id)) return
      events.onWorkerGone(worker.id, reason)
      this.#fill()
    })
    try {
      const address = await worker.ready({ timeoutMs })
      if (this.#toldToStop.has(worker)) return
      events.onWorker(address)
      this.#failedStarts = 0
    } catch (error) {
      if (!this.#toldToStop.has(worker)) this.#onFailedStart(worker, error)
    }
  }

  #onFailedStart(worker: LocalWorker, error: unknown): void {
    worker.kill()
    this.#failedStarts += 1
    if (this.#failedStarts < MOST_FAILED_STARTS) return
    this.#wanted = 0
    if (error instanceof LiftError) this.#options.events.onFailed(error)
  }

  #stop(id: string, graceMs: number): void {
    const worker = this.#workers.get(id)
    if (worker === undefined) return
    this.#workers.delete(id)
    this.#toldToStop.add(worker)
    this.#options.events.onWorkerGone(id, undefined)
    const stopping = worker.stop({ graceMs }).then(() => {
      this.#stopping.delete(stopping)
    })
    this.#stopping.add(stopping)
  }
}
