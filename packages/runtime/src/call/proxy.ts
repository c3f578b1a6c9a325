import type { LiftManifest } from '../manifest.ts'
import { MapReport } from '../watch/map-report.ts'
import { BatchingInvoker } from './batching-invoker.ts'
import { CachingInvoker } from './caching-invoker.ts'
import type { Lifted } from './invoke.ts'
import { rememberLifted } from './lifted.ts'
import type { Captures, LiftedMeta } from './lifted.ts'
import { sessionOf } from './runtime.ts'
import { captureSite, joinStacks } from './stack.ts'
import { streamLifted } from './stream.ts'

/** What stands in the main program for a lifted function. */
export type LiftedProxy = (...args: unknown[]) => Promise<unknown> | AsyncGenerator<unknown, unknown, undefined>

/**
 * Makes the function that stands in the main program for a lifted one: same name, same `length`, same kind.
 * @param captures for a nested function: the values that it captured by name, read at each call
 */
export function createLiftedFunction(manifest: LiftManifest, meta: LiftedMeta, captures?: () => Captures): LiftedProxy {
  return createProxy({ manifest, meta, captures, options: {}, mapId: undefined })
}

function createProxy(lifted: Lifted): LiftedProxy {
  const { meta, options } = lifted
  const proxy = meta.kind === 'stream' ? createStreamProxy(lifted) : createCallProxy(lifted)
  Object.defineProperties(proxy, {
    name: { value: meta.name, configurable: true },
    length: { value: meta.length, configurable: true },
  })
  rememberLifted(proxy, {
    meta,
    withOptions: (added) => createProxy({ ...lifted, options: { ...options, ...added } }),
    reportMap: (total) => {
      sessionOf(lifted.manifest)
      return new MapReport({ functionId: meta.id, pool: meta.pool, total })
    },
    toInvoker: (added, { report, cache, concurrency }) => {
      const mapped = { ...lifted, options: { ...options, ...added }, mapId: report.mapId }
      // In dev nobody knows which code answers: an edit is live in the next call.
      return cache === undefined || lifted.manifest.isDev === true
        ? new BatchingInvoker(mapped, { results: 'whole', concurrency })
        : new CachingInvoker(mapped, { cache, report })
    },
  })
  return proxy
}

function createCallProxy(lifted: Lifted): LiftedProxy {
  const invoker = new BatchingInvoker(lifted, { results: 'opened' })
  const proxy = async (...args: unknown[]): Promise<unknown> => {
    try {
      return await new Promise((resolve, reject) => invoker.start(args, { resolve, reject }))
    } catch (error) {
      throw joinStacks(error, captureSite(proxy))
    }
  }
  return proxy
}

function createStreamProxy(lifted: Lifted): LiftedProxy {
  const proxy = async function* (...args: unknown[]): AsyncGenerator<unknown, unknown, undefined> {
    try {
      return yield* streamLifted(lifted, args)
    } catch (error) {
      throw joinStacks(error, captureSite(proxy))
    }
  }
  return proxy
}
