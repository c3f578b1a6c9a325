// Time as it passes, also where a test library has put a clock of its own in the place of the real one: that one stands
// still until the test moves it, and calls would wait for it. All code of ours takes its time from here.
import { performance as realPerformance } from 'node:perf_hooks'
import * as timersModule from 'node:timers'

import { MockProofTimer } from './clock/mock-proof-timer.ts'

type Callback = () => void
export type SetTimeout = (callback: Callback, delayMs?: number) => NodeJS.Timeout
export type ClearTimeout = (timer: NodeJS.Timeout | undefined) => void

interface TimerSource {
  readonly setTimeout: SetTimeout
  readonly setInterval: SetTimeout
  readonly setImmediate: (callback: Callback) => unknown
  readonly clearTimeout: ClearTimeout
  readonly clearInterval: ClearTimeout
}

const mockProof: TimerSource = {
  setTimeout: (callback, delayMs = 1) => new MockProofTimer(callback, delayMs),
  setInterval: (callback, delayMs = 1) => new MockProofTimer(callback, delayMs, { isRepeated: true }),
  setImmediate: (callback) => new MockProofTimer(callback, 1),
  clearTimeout: (timer) => timer?.close(),
  clearInterval: (timer) => timer?.close(),
}

/** Timers of Node know how long they wait; those of libraries do not, and those of a simulated browser are numbers. */
function isReal({ setTimeout: start, clearTimeout: stop }: Pick<TimerSource, 'setTimeout' | 'clearTimeout'>): boolean {
  const timer = start(() => undefined, 1_000)
  stop(timer)
  return '_idleTimeout' in Object(timer)
}

// Chosen once: what a test mocks later does not reach it.
const source: TimerSource = [timersModule, globalThis].find(isReal) ?? mockProof

export const setTimeout: SetTimeout = source.setTimeout
export const setInterval: SetTimeout = source.setInterval
export const setImmediate: (callback: Callback) => unknown = source.setImmediate
export const clearTimeout: ClearTimeout = source.clearTimeout
export const clearInterval: ClearTimeout = source.clearInterval

const afterMicrotask = (callback: Callback): void => {
  const run = async (): Promise<void> => {
    await Promise.resolve()
    callback()
  }
  void run()
}

export const nextTick: (callback: Callback) => void = isReplaced(process, 'nextTick')
  ? afterMicrotask
  : process.nextTick.bind(process)
export const queueMicrotask: (callback: Callback) => void = isReplaced(globalThis, 'queueMicrotask')
  ? afterMicrotask
  : globalThis.queueMicrotask

// A library that takes these over leaves its clock on what it puts there.
function isReplaced(holder: object, name: string): boolean {
  return 'clock' in Object(Reflect.get(holder, name))
}

const readMonotonic = realPerformance.now.bind(realPerformance)

/** Milliseconds that pass however the date is set. */
export const performance: { readonly now: () => number; readonly timeOrigin: number } = {
  now: readMonotonic,
  timeOrigin: realPerformance.timeOrigin,
}

const RealDate = /\[native code\]/.test(Function.prototype.toString.call(Date)) ? Date : undefined

/** Milliseconds since 1970. */
export const wallClock: () => number =
  RealDate === undefined ? () => realPerformance.timeOrigin + readMonotonic() : RealDate.now.bind(RealDate)

export interface DelayOptions {
  readonly signal?: AbortSignal | undefined
  /** Whether the program goes on meanwhile. Default true. */
  readonly ref?: boolean
}

/** Resolves after this time. Rejects with the signal's reason when it aborts. */
export async function delay(delayMs: number, { signal, ref = true }: DelayOptions = {}): Promise<void> {
  signal?.throwIfAborted()
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, delayMs)
    if (!ref) timer.unref()
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** Aborts after this time, with a `TimeoutError`; does not keep the program alive. */
export function timeoutSignal(delayMs: number): AbortSignal {
  const controller = new AbortController()
  const expire = (): void =>
    controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'))
  setTimeout(expire, delayMs).unref()
  return controller.signal
}
