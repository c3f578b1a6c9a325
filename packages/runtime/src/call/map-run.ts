import { mapFailed, mapStopped } from './errors.ts'
import type { MapFailure } from '../errors.ts'
import { startCounts } from '../watch/map-report.ts'
import type { MapReport } from '../watch/map-report.ts'
import type { Invoker, Settle } from './invoker.ts'
import type { MapOptions, Outcome } from './map-options.ts'

/** Results that may wait for a slow one before them, as a multiple of the calls at a time. */
const WAITING_RESULTS = 4

type InputStep = IteratorResult<readonly unknown[]>

/** The lists of arguments, one for each call. */
export type Inputs = Iterator<readonly unknown[]> | AsyncIterator<readonly unknown[]>

export interface MapRunOptions {
  readonly name: string
  readonly invoker: Invoker
  readonly inputs: Inputs
  readonly options: MapOptions
  /** Absent for ordinary functions. */
  readonly report: MapReport | undefined
}

/**
 * Works on many inputs: reads them only as fast as outcomes are taken, and gives outcomes in order or as they come.
 * Memory does not grow with the number of inputs.
 */
export class MapRun {
  readonly #run: MapRunOptions
  /** Calls in flight, by the index of their input. */
  readonly #calls: Map<number, unknown> = new Map()
  /** Outcomes to be taken, by index, in the order of arrival. */
  readonly #outcomes: Map<number, Outcome<unknown>> = new Map()
  /** Only kept when there is a limit. */
  readonly #failures: MapFailure[] = []
  readonly #counts: MapReport['counts']
  readonly #settle: MapSettle = {
    resolve: (index, value) => this.#finish({ status: 'fulfilled', index, value }),
    reject: (index, error) => this.#onError(index, error),
  }
  readonly #onAbort = () => this.#end(this.#run.options.signal?.reason)
  #read = 0
  #taken = 0
  #isReading = false
  /** Inside of the source's `next()`. */
  #isAsking = false
  #isExhausted = false
  #isStopped = false
  #ended: { readonly error: unknown } | undefined
  #arrival: Promise<void> | undefined
  #wake: () => void = () => undefined

  constructor(run: MapRunOptions) {
    this.#run = run
    this.#counts = run.report?.counts ?? startCounts(undefined)
    const { signal } = run.options
    if (signal?.aborted === true) this.#onAbort()
    else signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /**
   * The next outcome; `'later'` when none is there yet (see `arrival`); `'end'` after the last.
   * @throws the error that ended the map
   */
  take(): Outcome<unknown> | 'later' | 'end' {
    this.#readInputs()
    if (this.#ended !== undefined) throw this.#ended.error
    if (this.#isStopped) return 'end'
    const index = this.#run.options.ordered === false ? firstKey(this.#outcomes) : this.#taken
    const outcome = index === undefined ? undefined : this.#outcomes.get(index)
    if (outcome === undefined) return this.#isDone() ? 'end' : 'later'
    this.#outcomes.delete(outcome.index)
    this.#taken += 1
    return outcome
  }

  /** Resolves when `take` may have more to give. */
  arrival(): Promise<void> {
    this.#arrival ??= new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    return this.#arrival
  }

  /** Cancels what is in flight and tells the source to return, without waiting for it. Harmless after the end. */
  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    const { invoker, options, report } = this.#run
    options.signal?.removeEventListener('abort', this.#onAbort)
    const calls = [...this.#calls.values()]
    this.#calls.clear()
    this.#outcomes.clear()
    const reason = this.#reason
    for (const call of calls) invoker.cancel(call, reason)
    report?.end(this.#ended?.error)
    this.#notify()
    const isOpen = !this.#isExhausted
    this.#isExhausted = true
    // One that is just giving an input cannot return before it has.
    if (isOpen && !this.#isAsking) closeSource(this.#run.inputs)
  }

  get #reason(): unknown {
    return this.#ended === undefined ? mapStopped(this.#run.name) : this.#ended.error
  }

  #isDone(): boolean {
    return this.#isExhausted && !this.#isReading && this.#calls.size === 0 && this.#outcomes.size === 0
  }

  #hasRoom(): boolean {
    const concurrency = this.#run.options.concurrency ?? this.#run.invoker.appetite
    const waiting = this.#calls.size + this.#outcomes.size
    return this.#calls.size < concurrency && waiting < concurrency * WAITING_RESULTS
  }

  #readInputs(): void {
    try {
      while (!this.#isReading && !this.#isExhausted && this.#hasRoom()) this.#readInput()
    } catch (error) {
      this.#onSourceError(error)
    }
  }

  // Reading is guarded against itself: a call may settle, and the source may do anything, before this returns.
  #readInput(): void {
    this.#isReading = true
    const step = this.#ask()
    if (step instanceof Promise) {
      step.then(this.#onAsyncInput, this.#onSourceError)
      return
    }
    this.#onInput(step)
    this.#isReading = false
  }

  #ask(): InputStep | Promise<InputStep> {
    this.#isAsking = true
    const step = this.#run.inputs.next()
    this.#isAsking = false
    if (this.#isStopped) closeSource(this.#run.inputs)
    return step
  }

  readonly #onAsyncInput = (step: InputStep): void => {
    this.#onInput(step)
    this.#isReading = false
    this.#readInputs()
    this.#notify()
  }

  readonly #onSourceError = (error: unknown): void => {
    this.#isExhausted = true
    this.#isReading = false
    this.#end(error)
  }

  #onInput(step: InputStep): void {
    if (step.done === true) this.#isExhausted = true
    else if (!this.#isExhausted) this.#start(this.#read++, step.value)
  }

  #start(index: number, args: readonly unknown[]): void {
    const settle = new MapCall(index, this.#settle)
    const call = this.#run.invoker.start(args, settle)
    if (settle.isSettled) return
    if (this.#isStopped) return this.#run.invoker.cancel(call, this.#reason)
    this.#calls.set(index, call)
    this.#counts.inFlight = this.#calls.size
  }

  #finish(outcome: Outcome<unknown>): void {
    this.#calls.delete(outcome.index)
    this.#counts.inFlight = this.#calls.size
    if (this.#isStopped) return
    if (outcome.status === 'fulfilled') this.#counts.done += 1
    this.#outcomes.set(outcome.index, outcome)
    // Also while the caller is busy with a result: workers need not wait for it, up to a limit.
    this.#readInputs()
    this.#notify()
  }

  #onError(index: number, error: unknown): void {
    const { options } = this.#run
    if (this.#isStopped) return
    this.#counts.failed += 1
    if (options.onError === undefined || options.onError === 'throw') return this.#end(error)
    if (options.maxFailures !== undefined) {
      this.#failures.push({ index, error })
      if (this.#failures.length > options.maxFailures) return this.#end(mapFailed(this.#run.name, this.#failures))
    }
    this.#finish({ status: 'rejected', index, reason: error })
  }

  /** At once, whatever the source and the reader of the results are busy with. */
  #end(error: unknown): void {
    if (this.#isStopped) return
    this.#ended ??= { error }
    this.stop()
  }

  #notify(): void {
    this.#arrival = undefined
    this.#wake()
  }
}

/** What it does then comes after what ended the map, and must not stand in its place. */
function closeSource(inputs: Inputs): void {
  const warn = (error: unknown) => process.emitWarning(error instanceof Error ? error : String(error))
  try {
    const closed = inputs.return?.()
    if (closed instanceof Promise) closed.catch(warn)
  } catch (error) {
    warn(error)
  }
}

interface MapSettle {
  resolve(index: number, value: unknown): void
  reject(index: number, error: unknown): void
}

/** One object for each call: there may be a million. */
class MapCall implements Settle {
  readonly #index: number
  readonly #settle: MapSettle
  isSettled = false

  constructor(index: number, settle: MapSettle) {
    this.#index = index
    this.#settle = settle
  }

  resolve(value: unknown): void {
    this.isSettled = true
    this.#settle.resolve(this.#index, value)
  }

  reject(error: unknown): void {
    this.isSettled = true
    this.#settle.reject(this.#index, error)
  }
}

function firstKey<K>(map: ReadonlyMap<K, unknown>): K | undefined {
  for (const key of map.keys()) return key
  return undefined
}
