const joined = new WeakSet<object>()

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

/**
 * Adds the frames of the caller below those of the worker: an error then says where it came from on both sides. An
 * error of the program itself may be frozen, and a program may make anything of stacks: then it stays as it is.
 */
export function joinStacks(error: unknown, site: CallSite): unknown {
  if (typeof error !== 'object' || error === null || joined.has(error)) return error
  joined.add(error)
  try {
    addFrames(error, site)
  } catch {
    // What reading or writing it threw is less than the error that is to be told.
  }
  return error
}

function addFrames(error: object, { stack: below }: CallSite): void {
  if (!(error instanceof Error) || typeof below !== 'string') return
  const frames = below.split('\n').slice(1)
  const own: unknown = error.stack
  if (frames.length === 0 || typeof own !== 'string') return
  Object.defineProperty(error, 'stack', { value: [own, ...frames].join('\n'), configurable: true, writable: true })
}
