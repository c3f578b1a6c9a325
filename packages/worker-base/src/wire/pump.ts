/** Items of a stream that the receiver is ready for. */
export class Credit {
  #items: number
  #isClosed = false
  #wake: (() => void) | undefined

  constructor(items: number) {
    this.#items = items
  }

  add(items: number): void {
    this.#items += items
    this.#wake?.()
  }

  /** Resolves to true when one more item may be sent, to false once closed. */
  async take(): Promise<boolean> {
    while (this.#items === 0 && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    if (this.#isClosed) return false
    this.#items -= 1
    return true
  }

  close(): void {
    this.#isClosed = true
    this.#wake?.()
  }
}

export function createCredit(items: number): Credit {
  return new Credit(items)
}

/**
 * Pulls values one by one, each only when there is credit for it, and hands them to `send`.
 * When the credit is closed, or sending fails, the iterator is told to return. Resolves to what it returned.
 */
export async function pump(
  iterator: AsyncIterator<unknown, unknown, undefined>,
  credit: Credit,
  send: (item: unknown) => void | Promise<void>,
): Promise<unknown> {
  while (await credit.take()) {
    const next = await iterator.next()
    if (next.done === true) return next.value
    await sendOrReturn(iterator, () => send(next.value))
  }
  const last = await iterator.return?.()
  return last?.value
}

async function sendOrReturn(
  iterator: AsyncIterator<unknown, unknown, undefined>,
  send: () => void | Promise<void>,
): Promise<void> {
  try {
    await send()
  } catch (error) {
    await iterator.return?.()
    throw error
  }
}
