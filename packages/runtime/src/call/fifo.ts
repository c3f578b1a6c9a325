/** A queue whose `shift` does not move the rest, for queues of a million. */
export class Fifo<T> {
  #items: (T | undefined)[] = []
  #head = 0
  /** What was put back, last first: it goes before the others. */
  readonly #returned: T[] = []

  get size(): number {
    return this.#items.length - this.#head + this.#returned.length
  }

  push(item: T): void {
    this.#items.push(item)
  }

  /** Puts items in front, in this order. */
  unshift(items: readonly T[]): void {
    this.#returned.push(...items.toReversed())
  }

  peek(): T | undefined {
    return this.#returned.at(-1) ?? this.#items[this.#head]
  }

  shift(): T | undefined {
    const returned = this.#returned.pop()
    if (returned !== undefined) return returned
    const item = this.#items[this.#head]
    if (item === undefined) return undefined
    this.#items[this.#head] = undefined
    this.#head += 1
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }
}
