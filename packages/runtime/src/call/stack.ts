const joined = new WeakSet<Error>()

/** A place in the user's code. Its text is only made when somebody asks for it. */
export interface CallSite {
  readonly stack?: string
}

/**
 * Where `caller` was called. After a wait the engine still knows which functions await it, so a call that succeeds
 * need not ask before.
 */
export function captureSite(caller: (...args: never[]) => unknown): CallSite {
  const site: CallSite = {}
  Error.captureStackTrace(site, caller)
  return site
}

/** Adds the frames of the caller below those of the worker: an error then says where it came from on both sides. */
export function joinStacks(error: unknown, site: CallSite): unknown {
  if (!(error instanceof Error) || joined.has(error)) return error
  joined.add(error)
  const frames = (site.stack ?? '').split('\n').slice(1)
  if (frames.length > 0) {
    const stack = [error.stack ?? String(error), ...frames].join('\n')
    Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true })
  }
  return error
}
