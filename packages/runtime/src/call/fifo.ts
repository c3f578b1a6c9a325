/** Fewer items that were taken out stay where they are, as holes, until they are met. */
const FEW_HOLES = 64

/** A queue whose `shift` does not move the rest, and whose `delete` is cheap too, for queues of a million. */
export class Fifo<T> {
  #items: (T | undefined)[] = []
  #head = 0
  /** What was put back, last first: it goes before the others. */
  #returned: T[] = []
  /** Taken out, and still in one of the lists. */
  readonly #deleted: Set<T> = new Set()

  get size(): number {
    return this.#items.length - this.#head + this.#returned.length - this.#deleted.size
  }

  push(item: T): void {
    this.#items.push(item)
  }

  /** Puts items in front, in this order. */
  unshift(items: readonly T[]): void {
    for (const item of items.toReversed()) this.#returned.push(item)
  }

  /** Takes an item out that is in the queue. */
  delete(item: T): void {
    this.#deleted.add(item)
    if (this.#deleted.size > FEW_HOLES && this.#deleted.size > this.size) this.#close()
  }

  peek(): T | undefined {
    for (;;) {
      const item = this.#returned.at(-1) ?? this.#items[this.#head]
      if (item === undefined || !this.#deleted.delete(item)) return item
      this.#advance()
    }
  }

  shift(): T | undefined {
    const item = this.peek()
    if (item !== undefined) this.#advance()
    return item
  }

  /** Takes all items out. */
  clear(): readonly T[] {
    this.#close()
    const items = [...this.#returned.toReversed(), ...this.#items.filter((item) => item !== undefined)]
    this.#returned = []
    this.#items = []
    return items
  }

  #advance(): void {
    if (this.#returned.pop() !== undefined) return
    this.#items[this.#head] = undefined
    this.#head += 1
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
  }

  /** Closes the holes. */
  #close(): void {
    const isThere = (item: T | undefined) => item !== undefined && !this.#deleted.has(item)
    this.#items = this.#items.slice(this.#head).filter(isThere)
    this.#head = 0
    this.#returned = this.#returned.filter(isThere)
    this.#deleted.clear()
  }
}
