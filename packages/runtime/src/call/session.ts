import { join } from 'node:path'

import type { ResolvedConfig } from '../config.ts'
import { targetNotInDev } from '../config/errors.ts'
import { createPlatform } from '../deploy/create.ts'
import { InlineCalls } from '../deploy/inline.ts'
import type { Deployment, DeploymentEvents, Platform } from '../deploy/platform.ts'
import { watchProcess } from '../dispose/process-end.ts'
import type { Ending } from '../dispose/process-end.ts'
import { createRunFolder } from '../dispose/run-folder.ts'
import type { RunFolder } from '../dispose/run-folder.ts'
import type { LiftManifest } from '../manifest.ts'
import { reportLog } from '../watch/log-report.ts'
import { Dispatcher } from './dispatcher.ts'
import { printLog } from './print-log.ts'
import type { Calls } from './task.ts'

export interface SessionOptions {
  readonly manifest: LiftManifest
  readonly config: ResolvedConfig
  /** What shows the run to people; goes with it. */
  readonly watching: Disposable
  /** Called once, when nothing of the session is of use any more. */
  readonly onEnd: () => void
}

/** The lifted calls of one program: from the first call until the process, or the program's work, ends. */
export class Session implements Ending, AsyncDisposable {
  readonly #options: SessionOptions
  readonly #runFolder: RunFolder = createRunFolder()
  readonly #pools: Map<string, Calls & AsyncDisposable> = new Map()
  readonly #abort: AbortController = new AbortController()
  readonly #stopWatching: () => void
  #platform: Platform | undefined
  #disposed: Promise<void> | undefined

  constructor(options: SessionOptions) {
    this.#options = options
    this.#stopWatching = watchProcess(this)
  }

  /** Where calls of this pool go. */
  calls(pool: string): Calls {
    const known = this.#pools.get(pool)
    if (known !== undefined) return known
    const created = this.#createCalls(pool)
    this.#pools.set(pool, created)
    return created
  }

  /** What the image of a cluster's workers is made of; on this machine there is none. */
  get image(): readonly unknown[] | undefined {
    const { run, kubernetes } = this.#options.config
    if (run.target !== 'kubernetes') return undefined
    const { baseImage, apt, npm } = kubernetes.image ?? {}
    return [baseImage, apt, npm]
  }

  /** Of a cluster, which learns only from the program that the run is over. */
  get needsSignals(): boolean {
    return this.#options.config.run.target === 'kubernetes'
  }

  get isBusy(): boolean {
    return [...this.#pools.values()].some((calls) => calls.isBusy)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }

  dispose(): Promise<void> {
    this.#disposed ??= this.#dispose()
    return this.#disposed
  }

  async #dispose(): Promise<void> {
    this.#options.onEnd()
    this.#abort.abort()
    try {
      await Promise.all([...this.#pools.values()].map((calls) => calls[Symbol.asyncDispose]()))
      await this.#platform?.[Symbol.asyncDispose]()
    } finally {
      this.#options.watching[Symbol.dispose]()
      this.#runFolder[Symbol.dispose]()
      this.#stopWatching()
    }
  }

  #createCalls(pool: string): Calls & AsyncDisposable {
    const { config, manifest } = this.#options
    if (config.run.target === 'inline') {
      return new InlineCalls({
        manifest,
        name: pool,
        pool: config.pool(pool),
        root: join(this.#runFolder.path, 'code'),
      })
    }
    return new Dispatcher({
      name: pool,
      pool: config.pool(pool),
      build: manifest.hash,
      deploy: (events) => this.#deploy(pool, events),
      onLog: (workerId, log) => {
        reportLog(workerId, log)
        printLog(workerId, log, config.run.workerOutput)
      },
    })
  }

  async #deploy(pool: string, events: DeploymentEvents): Promise<Deployment> {
    const { manifest, config } = this.#options
    if (manifest.isDev === true && config.run.target === 'kubernetes') throw targetNotInDev()
    this.#platform ??= createPlatform({ config, runFolder: this.#runFolder })
    return this.#platform.deploy({ manifest, pool, events, signal: this.#abort.signal })
  }

  abandon(): void {
    this.#options.onEnd()
    this.#platform?.abandon()
    this.#options.watching[Symbol.dispose]()
    this.#runFolder[Symbol.dispose]()
  }
}
