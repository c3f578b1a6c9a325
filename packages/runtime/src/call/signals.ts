import type { CallRequest, Calls, Task } from './task.ts'

/** A signal of the call that is aborted already. */
export function abortedSignal({ signal, value }: CallRequest): AbortSignal | undefined {
  if (signal?.aborted === true) return signal
  return value.signals?.find(({ aborted }) => aborted)
}

/**
 * Passes aborts on: the one of the call's options ends the call for its caller at once; those among its arguments are
 * aborted for the function, which decides. Returns what stops it, if there is anything to stop.
 */
export function watchSignals(task: Task, calls: Pick<Calls, 'cancel' | 'abort'>): (() => void) | undefined {
  const { signal, value } = task.request
  if (signal === undefined && value.signals === undefined) return undefined
  const stops = (value.signals ?? []).map((argument) => onAbort(argument, () => calls.abort(task, argument.reason)))
  if (signal !== undefined) stops.push(onAbort(signal, () => calls.cancel(task, signal.reason)))
  return () => {
    for (const stop of stops) stop()
  }
}

interface Watched {
  readonly actions: Set<() => void>
  readonly listener: () => void
}

const watched = new WeakMap<AbortSignal, Watched>()

/** One listener for all calls with a signal: Node warns of a leak from the eleventh on. Returns what takes it back. */
export function onAbort(signal: AbortSignal, action: () => void): () => void {
  const { actions, listener } = watched.get(signal) ?? watch(signal)
  actions.add(action)
  return () => {
    if (!actions.delete(action) || actions.size > 0) return
    // With a listener Node keeps some signals, those of `AbortSignal.any`, for ever.
    signal.removeEventListener('abort', listener)
    watched.delete(signal)
  }
}

function watch(signal: AbortSignal): Watched {
  const actions = new Set<() => void>()
  const listener = () => {
    for (const action of actions) action()
  }
  signal.addEventListener('abort', listener, { once: true })
  const added = { actions, listener }
  watched.set(signal, added)
  return added
}
