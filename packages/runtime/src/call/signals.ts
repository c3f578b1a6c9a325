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
  const stop = new AbortController()
  const options = { once: true, signal: stop.signal }
  signal?.addEventListener('abort', () => calls.cancel(task, signal.reason), options)
  for (const argument of value.signals ?? []) {
    argument.addEventListener('abort', () => calls.abort(task, argument.reason), options)
  }
  return () => stop.abort()
}
