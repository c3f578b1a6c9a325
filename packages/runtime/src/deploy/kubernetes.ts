import { join } from 'node:path'

import type { ResolvedConfig } from '../config.ts'
import type { Delivery } from '../deliver/delivery.ts'
import { createImageDelivery } from '../deliver/image.ts'
import { createMountDelivery } from '../deliver/mount.ts'
import type { RunFolder } from '../dispose/run-folder.ts'
import { LiftError } from '../errors.ts'
import { extractFiles } from '../extract.ts'
import type { LiftManifest } from '../manifest.ts'
import { openClient } from './client.ts'
import { toDeployFailure } from './errors.ts'
import { openPool } from './pool.ts'
import type { DeployRequest, Deployment, Platform } from './platform.ts'
import { openRun } from './run.ts'
import type { ClusterRun } from './run.ts'

export interface KubernetesPlatformOptions {
  readonly config: ResolvedConfig
  readonly runFolder: RunFolder
  /** Told what the API server warns of, and what a build prints when the user asked to see it. */
  readonly onLine: (text: string) => void
}

/** Runs workers as pods of a Kubernetes cluster. */
export function createKubernetesPlatform(options: KubernetesPlatformOptions): Platform {
  return new KubernetesPlatform(options)
}

class KubernetesPlatform implements Platform {
  readonly #options: KubernetesPlatformOptions
  readonly #failed: Set<(error: LiftError) => void> = new Set()
  #run: Promise<ClusterRun> | undefined

  constructor(options: KubernetesPlatformOptions) {
    this.#options = options
  }

  async deploy(request: DeployRequest): Promise<Deployment> {
    const { config } = this.#options
    this.#failed.add((error) => request.events.onFailed(error))
    this.#run ??= this.#openRun(request)
    const run = await this.#run
    run.anchor.lost.throwIfAborted()
    const signal = AbortSignal.any([request.signal, run.anchor.lost])
    return openPool({
      run,
      request: { ...request, signal },
      pool: config.pool(request.pool),
      cluster: config.kubernetes,
      programArguments: process.argv.slice(1),
    })
  }

  // Nothing can be sent any more: the cluster removes the run when its deadline has passed.
  abandon(): void {
    this.#failed.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const run = await this.#run?.catch(() => undefined)
    if (run === undefined) return
    try {
      await run[Symbol.asyncDispose]()
    } catch (error) {
      // The program's own result stands: what is left of the run the cluster removes by itself.
      this.#options.onLine(toDeployFailure(error).message)
    }
    run.client[Symbol.dispose]()
  }

  async #openRun({ manifest, signal }: DeployRequest): Promise<ClusterRun> {
    try {
      return await this.#createRun(manifest, signal)
    } catch (error) {
      // The next call tries anew.
      this.#run = undefined
      throw error
    }
  }

  async #createRun(manifest: LiftManifest, signal: AbortSignal): Promise<ClusterRun> {
    const { config, runFolder, onLine } = this.#options
    const { kubernetes } = config
    const folder = extractFiles(manifest, config.run.cacheFolder ?? join(runFolder.path, 'code'))
    // Awaited by the delivery, if it comes to that.
    folder.catch(() => undefined)
    const { namespace, context } = kubernetes
    const client = await openClient({
      namespace,
      context,
      isBackground: true,
      onWarning: (text) => onLine(`The cluster warns: ${text}`),
    })
    const delivery = createDelivery(config)
    const run = await openRun({ client, config: kubernetes, manifest, delivery, folder, onLog: onLine, signal })
    run.anchor.lost.addEventListener('abort', () => this.#onLost(run.anchor.lost.reason), { once: true })
    return run
  }

  #onLost(error: unknown): void {
    if (!(error instanceof LiftError)) return
    for (const fail of this.#failed) fail(error)
  }
}

function createDelivery({ kubernetes }: ResolvedConfig): Delivery {
  const { delivery, image } = kubernetes
  if (delivery === 'image') return createImageDelivery(image ?? {})
  return createMountDelivery({ image: image?.baseImage ?? `node:${process.versions.node.split('.')[0]}-slim` })
}
