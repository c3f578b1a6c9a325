import type { MapOptions, Outcome } from './map-options.ts'
import type { MapRun } from './map-run.ts'
import { joinStacks } from './stack.ts'
import type { CallSite } from './stack.ts'

/** How the results of one map are read. */
export class MapReading<R> {
  readonly name: string
  /** Where the map was called. */
  readonly site: CallSite
  readonly start: () => MapRun
  readonly #options: MapOptions

  constructor({ name, site, options }: { name: string; site: CallSite; options: MapOptions }, start: () => MapRun) {
    this.name = name
    this.site = site
    this.start = start
    this.#options = options
  }

  readonly isWanted = (outcome: Outcome<unknown>): boolean =>
    outcome.status === 'fulfilled' || this.#options.onError !== 'skip'

  // The overloads of `map` say which of the two R is; this is where outcomes become it.
  readonly toResult = (outcome: Outcome<unknown>): R => {
    if (this.#options.onError === 'return' || outcome.status === 'rejected') return outcome as R
    return outcome.value as R
  }
}

/**
 * Results one after the other. No generator: that would let `return()` wait for the `next()` before it, and so for a
 * source that may never give its next input.
 */
export class MapIterator<R> implements AsyncGenerator<R, void, undefined> {
  readonly #reading: MapReading<R>
  #run: MapRun | undefined
  #isEnded = false

  constructor(reading: MapReading<R>) {
    this.#reading = reading
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<R, void>> {
    if (this.#isEnded) return { done: true, value: undefined }
    const { isWanted, toResult } = this.#reading
    try {
      const run = (this.#run ??= this.#reading.start())
      for (let outcome = run.take(); outcome !== 'end'; outcome = run.take()) {
        if (outcome === 'later') await run.arrival()
        else if (isWanted(outcome)) return { done: false, value: toResult(outcome) }
        if (this.#isEnded) break
      }
    } catch (error) {
      // Of those who wait at the same time one hears of it, as with generators.
      if (!this.#isEnded) throw this.#end(error)
    }
    this.#stop()
    return { done: true, value: undefined }
  }

  async return(): Promise<IteratorResult<R, void>> {
    this.#stop()
    return { done: true, value: undefined }
  }

  async throw(error: unknown): Promise<IteratorResult<R, void>> {
    this.#stop()
    throw error
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop()
  }

  #end(error: unknown): unknown {
    this.#stop()
    return joinStacks(error, this.#reading.site)
  }

  #stop(): void {
    this.#isEnded = true
    this.#run?.stop()
  }
}
