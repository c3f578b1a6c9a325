interface Sample {
  readonly atMs: number
  readonly count: number
}

/** Speed of a counter over the last seconds, so that it follows changes and does not jump at each step. */
export class Rate {
  readonly #windowMs: number
  #samples: Sample[] = []

  constructor({ windowMs = 10_000 }: { readonly windowMs?: number } = {}) {
    this.#windowMs = windowMs
  }

  record(count: number, atMs: number): void {
    this.#samples.push({ atMs, count })
    // One older than the window stays: without it a slow counter would have no speed.
    const inside = this.#samples.findIndex((sample) => sample.atMs > atMs - this.#windowMs)
    if (inside > 1) this.#samples = this.#samples.slice(inside - 1)
  }

  /** `undefined` while nothing was counted. */
  get perSecond(): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)]
    if (first === undefined || last === undefined) return undefined
    const [count, ms] = [last.count - first.count, last.atMs - first.atMs]
    return count > 0 && ms > 0 ? (count * 1000) / ms : undefined
  }
}
