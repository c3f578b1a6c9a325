import { decodeValue } from '@turbolift/worker-base/wire'
import type { WireValue } from '@turbolift/worker-base/wire'

import type { MapReport } from '../watch/map-report.ts'
import { hashPackages } from './cache-packages.ts'
import { toCacheKey } from './cache.ts'
import type { ResultCache } from './cache.ts'
import { callsOf, encodeCall } from './invoke.ts'
import type { Lifted } from './invoke.ts'
import type { Invoker, Settle } from './invoker.ts'
import { sessionOf } from './runtime.ts'
import type { CallRequest, Task } from './task.ts'

export interface CachingOptions {
  readonly cache: Promise<ResultCache>
  readonly report: MapReport
}

/** Takes results from a cache, makes the calls that are not there, and keeps their results before it hands them on. */
export class CachingInvoker implements Invoker {
  readonly #lifted: Lifted
  readonly #options: CachingOptions
  #code: Promise<string> | undefined

  constructor(lifted: Lifted, options: CachingOptions) {
    this.#lifted = lifted
    this.#options = options
  }

  get appetite(): number {
    return callsOf(this.#lifted).appetite
  }

  start(args: readonly unknown[], settle: Settle): unknown {
    const call = new CachedCall()
    this.#find(call, args).then(
      (value) => settle.resolve(value),
      (error) => settle.reject(error),
    )
    return call
  }

  cancel(call: unknown, reason: unknown): void {
    if (!(call instanceof CachedCall)) return
    call.cancelled ??= { reason }
    if (call.task !== undefined) callsOf(this.#lifted).cancel(call.task, reason)
  }

  async #find(call: CachedCall, args: readonly unknown[]): Promise<unknown> {
    const cache = await this.#options.cache
    const request = await encodeCall(this.#lifted, args, 'whole')
    this.#code ??= this.#readCode()
    const key = toCacheKey({ ...request, code: await this.#code })
    const found = await cache.read(key)
    if (found !== undefined) {
      this.#options.report.counts.cached += 1
      return decodeValue(found)
    }
    const result = await this.#submit(call, request)
    await cache.write(key, result)
    return decodeValue(result)
  }

  async #submit(call: CachedCall, request: CallRequest): Promise<WireValue> {
    return new Promise((resolve, reject) => {
      if (call.cancelled !== undefined) return reject(call.cancelled.reason)
      call.task = callsOf(this.#lifted).submit(request, { resolve, reject })
    })
  }

  /**
   * Of the function's own code where the build says it, else of the whole program; and of the packages outside of it: as
   * they are installed here, or what the image of a cluster's workers is made of.
   */
  async #readCode(): Promise<string> {
    const { manifest, meta } = this.#lifted
    const entry = manifest.functions[meta.id]
    const code = entry?.code ?? manifest.hash
    const packages = entry?.code === undefined ? manifest.externals : (entry.packages ?? [])
    if (packages.length === 0) return code
    const { image } = sessionOf(manifest)
    if (image !== undefined) return JSON.stringify([code, packages, image])
    return `${code} ${await hashPackages(packages)}`
  }
}

class CachedCall {
  /** Once it was submitted. */
  task: Task | undefined
  cancelled: { readonly reason: unknown } | undefined
}
