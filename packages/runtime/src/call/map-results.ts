import type { MapOptions, Outcome } from './map-options.ts'
import type { MapRun } from './map-run.ts'
import { joinStacks } from './stack.ts'
import type { CallSite } from './stack.ts'

/** What `map` gives: a promise of all results, or with `for await` one after the other. */
export class MapResults<R> implements Promise<R[]>, AsyncIterable<R> {
  readonly #start: () => MapRun
  readonly #options: MapOptions
  readonly #site: CallSite
  #iterator: AsyncGenerator<R, void, undefined> | undefined
  #all: Promise<R[]> | undefined

  /** @param site where the map was called */
  constructor(start: () => MapRun, options: MapOptions, site: CallSite) {
    this.#start = start
    this.#options = options
    this.#site = site
  }

  get [Symbol.toStringTag](): string {
    return 'MapResults'
  }

  /** One after the other. All loops share one iteration; the one that is left early ends it. */
  [Symbol.asyncIterator](): AsyncGenerator<R, void, undefined> {
    this.#iterator ??= this.#iterate()
    return this.#iterator
  }

  // oxlint-disable-next-line unicorn/no-thenable -- it is a promise, made when somebody asks for it
  then<A = R[], B = never>(
    onFulfilled?: ((results: R[]) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#all ??= this.#collect()
    return this.#all.then(onFulfilled, onRejected)
  }

  catch<B = never>(onRejected?: ((error: unknown) => B | PromiseLike<B>) | null): Promise<R[] | B> {
    return this.then(undefined, onRejected)
  }

  finally(onFinally?: (() => void) | null): Promise<R[]> {
    return this.then((results) => results).finally(onFinally)
  }

  async *#iterate(): AsyncGenerator<R, void, undefined> {
    const run = this.#start()
    try {
      for (let outcome = run.take(); outcome !== 'end'; outcome = run.take()) {
        if (outcome === 'later') await run.arrival()
        else if (this.#isWanted(outcome)) yield this.#toResult(outcome)
      }
    } catch (error) {
      throw joinStacks(error, this.#site)
    } finally {
      await run.stop()
    }
  }

  // The same without a generator in between: a million results are a million turns of it.
  async #collect(): Promise<R[]> {
    const results: R[] = []
    const run = this.#start()
    try {
      for (let outcome = run.take(); outcome !== 'end'; outcome = run.take()) {
        if (outcome === 'later') await run.arrival()
        else if (this.#isWanted(outcome)) results.push(this.#toResult(outcome))
      }
      return results
    } catch (error) {
      throw joinStacks(error, this.#site)
    } finally {
      await run.stop()
    }
  }

  #isWanted(outcome: Outcome<unknown>): boolean {
    return outcome.status === 'fulfilled' || this.#options.onError !== 'skip'
  }

  // The overloads of `map` say which of the two R is; this is where outcomes become it.
  #toResult(outcome: Outcome<unknown>): R {
    if (this.#options.onError === 'return' || outcome.status === 'rejected') return outcome as R
    return outcome.value as R
  }
}
