/** Items that the receiver is ready for. */
export interface Credit {
  add(items: number): void
  /** Resolves to true when one more item may be sent, to false once closed. */
  take(): Promise<boolean>
  close(): void
}

export function createCredit(first: number): Credit {
  let items = first
  let isClosed = false
  let wake: (() => void) | undefined
  const mustWait = (): boolean => items === 0 && !isClosed
  const settle = (): void => {
    wake?.()
    wake = undefined
  }
  return {
    add(more) {
      items += more
      settle()
    },
    async take() {
      while (mustWait()) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      if (isClosed) return false
      items -= 1
      return true
    },
    close() {
      isClosed = true
      settle()
    },
  }
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
