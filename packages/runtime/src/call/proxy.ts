import type { LiftManifest } from '../manifest.ts'
import { MapReport } from '../watch/map-report.ts'
import { BatchingInvoker } from './batching-invoker.ts'
import { CachingInvoker } from './caching-invoker.ts'
import type { Lifted } from './invoke.ts'
import { rememberLifted } from './lifted.ts'
import type { Captures, LiftedHandle, LiftedMeta } from './lifted.ts'
import { sessionOf } from './runtime.ts'
import { captureSite, joinStacks } from './stack.ts'
import { streamLifted } from './stream.ts'

/** What stands in the main program for a lifted function. */
export type LiftedProxy = (...args: unknown[]) => Promise<unknown> | AsyncGenerator<unknown, unknown, undefined>

/**
 * Makes the function that stands in the main program for a lifted one: same name, same `length`, same kind.
 * @param captures for a nested function: the values that it captured by name, read at each call
 * @param declared for a declaration: the hoisted function that calls this one, and is what the program knows
 */
export function createLiftedFunction(
  manifest: LiftManifest,
  meta: LiftedMeta,
  captures?: () => Captures,
  declared?: LiftedProxy,
): LiftedProxy {
  return createProxy({ manifest, meta, captures, options: {}, mapId: undefined }, declared)
}

function createProxy(lifted: Lifted, declared?: LiftedProxy): LiftedProxy {
  const { meta, options } = lifted
  const proxy = meta.kind === 'stream' ? createStreamProxy(lifted, declared) : createCallProxy(lifted, declared)
  const handle: LiftedHandle = {
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
  }
  for (const fn of declared === undefined ? [proxy] : [proxy, declared]) {
    const { name, length } = meta
    Object.defineProperties(fn, {
      name: { value: name, configurable: true },
      length: { value: length, configurable: true },
    })
    rememberLifted(fn, handle)
  }
  return proxy
}

function createCallProxy(lifted: Lifted, declared?: LiftedProxy): LiftedProxy {
  const invoker = new BatchingInvoker(lifted, { results: 'opened' })
  const proxy = async (...args: unknown[]): Promise<unknown> => {
    try {
      return await new Promise((resolve, reject) => invoker.start(args, { resolve, reject }))
    } catch (error) {
      throw joinStacks(error, captureSite(declared ?? proxy))
    }
  }
  return proxy
}

function createStreamProxy(lifted: Lifted, declared?: LiftedProxy): LiftedProxy {
  const proxy = async function* (...args: unknown[]): AsyncGenerator<unknown, unknown, undefined> {
    try {
      return yield* streamLifted(lifted, args)
    } catch (error) {
      throw joinStacks(error, captureSite(declared ?? proxy))
    }
  }
  return proxy
}
