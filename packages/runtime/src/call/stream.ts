import { decodeValue } from '@turbolift/worker-base/wire'
import type { WireValue } from '@turbolift/worker-base/wire'

import { generatorTold } from './errors.ts'
import { callsOf, encodeCall } from './invoke.ts'
import type { Lifted } from './invoke.ts'
import type { Task } from './task.ts'

/** Items that may be under way before the caller took any; the worker waits beyond. */
const WINDOW = 16

/**
 * Makes one call of an async generator: its values arrive one by one, at the caller's pace.
 * Leaving the loop early ends the generator over there too, `finally` blocks included.
 * @throws LiftError `GENERATOR_TOLD`
 */
export async function* streamLifted(
  lifted: Lifted,
  args: readonly unknown[],
): AsyncGenerator<unknown, unknown, undefined> {
  const request = await encodeCall(lifted, args, 'items')
  const items = new Items()
  const reader = new ItemReader(callsOf(lifted).submit(request, items), items)
  try {
    for (;;) {
      const item = await reader.next()
      if (item === undefined) return decodeValue(await items.ended)
      const told: unknown = yield decodeValue(item)
      if (told !== undefined) throw generatorTold(lifted.meta.name)
      reader.allow()
    }
  } finally {
    await reader.end()
  }
}

/** What the generator has of its call. Nothing else holds it, so it goes with a generator that is dropped. */
class ItemReader {
  readonly #task: Task
  readonly #items: Items

  constructor(task: Task, items: Items) {
    this.#task = task
    this.#items = items
    dropped.register(this, task, this)
  }

  /** The next item, or `undefined` when there are no more. The program does not end as long as it is waited for. */
  async next(): Promise<WireValue | undefined> {
    if (this.#items.isWaiting && !this.#task.isSettled) this.#task.isAwaited = true
    try {
      return await this.#items.next()
    } finally {
      this.#task.isAwaited = false
    }
  }

  allow(): void {
    this.#task.host?.allow(this.#task, 1)
  }

  async end(): Promise<void> {
    dropped.unregister(this)
    if (this.#task.isSettled) return
    this.#task.isAwaited = true
    const isRunning = this.#task.host !== undefined
    endEarly(this.#task)
    // What its `finally` blocks throw over there.
    if (isRunning) await this.#items.ended
  }
}

const dropped = new FinalizationRegistry(endEarly)

function endEarly(task: Task): void {
  if (task.host === undefined) task.reject(new Error('Nobody waits for it any more.'))
  else task.host.endStream(task)
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

  /** Whether who asks for the next item has to wait for it. */
  get isWaiting(): boolean {
    return this.#arrived.length === 0 && !this.#isEnded
  }

  readonly onItem = (value: WireValue): void => {
    this.#arrived.push(value)
    this.#wake?.()
  }

  async next(): Promise<WireValue | undefined> {
    if (this.isWaiting) {
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
