const joined = new WeakSet<Error>()

/**
 * Adds the frames of the caller below those of the worker, so that an error says where it came from on both sides.
 * Called after the wait, when the engine still knows which functions await `caller`: a call that succeeds pays nothing.
 */
export function joinStacks(error: unknown, caller: (...args: never[]) => unknown): unknown {
  if (!(error instanceof Error) || joined.has(error)) return error
  joined.add(error)
  const here: { stack?: string } = {}
  Error.captureStackTrace(here, caller)
  const frames = (here.stack ?? '').split('\n').slice(1)
  if (frames.length > 0) {
    const stack = [error.stack ?? String(error), ...frames].join('\n')
    Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true })
  }
  return error
}
