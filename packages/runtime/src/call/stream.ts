import { decodeValue } from '@turbolift/worker-base/wire'
import type { WireValue } from '@turbolift/worker-base/wire'

import { callsOf, encodeCall } from './invoke.ts'
import type { Lifted } from './invoke.ts'
import type { Task } from './task.ts'

/** Items that may be under way before the caller took any; the worker waits beyond. */
const WINDOW = 16

/**
 * Makes one call of an async generator: its values arrive one by one, at the caller's pace.
 * Leaving the loop early ends the generator over there too, `finally` blocks included.
 */
export async function* streamLifted(
  lifted: Lifted,
  args: readonly unknown[],
): AsyncGenerator<unknown, unknown, undefined> {
  const request = await encodeCall(lifted, args, 'items')
  const items = new Items()
  const task = callsOf(lifted).submit(request, items)
  try {
    for (;;) {
      const item = await items.next()
      if (item === undefined) return decodeValue(await items.ended)
      yield decodeValue(item)
      task.host?.allow(task, 1)
    }
  } finally {
    if (!task.isSettled) await endEarly(task, items)
  }
}

async function endEarly(task: Task, items: Items): Promise<void> {
  if (task.host === undefined) return task.reject(new Error('Nobody waits for it any more.'))
  task.host.endStream(task)
  await items.ended
}

/** What arrived and was not taken yet. */
class Items {
  readonly window: number = WINDOW
  /** What the generator returned. */
  readonly ended: Promise<WireValue>
  readonly resolve: (value: WireValue) => void
  readonly reject: (error: unknown) => void
  readonly #arrived: WireValue[] = []
  #wake: (() => void) | undefined
  #isEnded = false

  constructor() {
    const settle = { resolve: (_value: WireValue) => {}, reject: (_error: unknown) => {} }
    this.ended = new Promise((resolve, reject) => Object.assign(settle, { resolve, reject }))
    // Who waits for the next item hears of it; nobody may, after an early end.
    this.ended.catch(() => undefined)
    this.resolve = (value) => this.#end(() => settle.resolve(value))
    this.reject = (error) => this.#end(() => settle.reject(error))
  }

  readonly onItem = (value: WireValue): void => {
    this.#arrived.push(value)
    this.#wake?.()
  }

  /** The next item, or `undefined` when there are no more. */
  async next(): Promise<WireValue | undefined> {
    if (this.#arrived.length === 0 && !this.#isEnded) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
    return this.#arrived.shift()
  }

  #end(settle: () => void): void {
    this.#isEnded = true
    settle()
    this.#wake?.()
  }
}
