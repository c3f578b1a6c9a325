/** Items that the receiver is ready for. */
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

export function isAsyncGenerator(value: unknown): value is AsyncGenerator<unknown, unknown, undefined> {
  return (
    typeof value === 'object' && value !== null && Symbol.asyncIterator in value && 'next' in value && 'return' in value
  )
}

/**
 * Pulls values one by one, each only when there is credit for it, and hands them to `send`.
 * When the credit is closed, or sending fails, the generator is told to return. Resolves to what it returned.
 */
export async function pump(
  generator: AsyncGenerator<unknown, unknown, undefined>,
  credit: Credit,
  send: (item: unknown) => void | Promise<void>,
): Promise<unknown> {
  while (await credit.take()) {
    const next = await generator.next()
    if (next.done === true) return next.value
    await sendOrReturn(generator, () => send(next.value))
  }
  const last = await generator.return(undefined)
  return last.value
}

async function sendOrReturn(
  generator: AsyncGenerator<unknown, unknown, undefined>,
  send: () => void | Promise<void>,
): Promise<void> {
  try {
    await send()
  } catch (error) {
    await generator.return(undefined)
    throw error
  }
}
