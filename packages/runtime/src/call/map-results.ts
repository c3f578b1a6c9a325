import { mapUsedTwice } from './errors.ts'
import { MapIterator } from './map-iterator.ts'
import type { MapReading } from './map-iterator.ts'
import { joinStacks } from './stack.ts'

/** What `map` gives: a promise of all results, or with `for await` one after the other. */
export class MapResults<R> implements Promise<R[]>, AsyncIterable<R> {
  readonly #reading: MapReading<R>
  #iterator: MapIterator<R> | undefined
  #all: Promise<R[]> | undefined

  constructor(reading: MapReading<R>) {
    this.#reading = reading
  }

  get [Symbol.toStringTag](): string {
    return 'MapResults'
  }

  /**
   * One after the other. All loops share one iteration; the one that is left early ends it.
   * @throws LiftError `MAP_USED_TWICE`: it was awaited
   */
  [Symbol.asyncIterator](): AsyncGenerator<R, void, undefined> {
    if (this.#all !== undefined) throw mapUsedTwice(this.#reading.name)
    this.#iterator ??= new MapIterator(this.#reading)
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

  // Not by the iterator: a million results are a million turns of it.
  async #collect(): Promise<R[]> {
    if (this.#iterator !== undefined) throw mapUsedTwice(this.#reading.name)
    const results: R[] = []
    const { start, isWanted, toResult, site } = this.#reading
    const run = start()
    try {
      for (let outcome = run.take(); outcome !== 'end'; outcome = run.take()) {
        if (outcome === 'later') await run.arrival()
        else if (isWanted(outcome)) results.push(toResult(outcome))
      }
      return results
    } catch (error) {
      throw joinStacks(error, site)
    } finally {
      run.stop()
    }
  }
}
