/// <reference lib="es2024.sharedmemory" />
import { MessageChannel } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'

const LONGEST_DELAY_MS = 2 ** 31 - 1

/** A timer by what the language itself has for waiting, which no library that fakes timers replaces. */
export class MockProofTimer implements NodeJS.Timeout {
  readonly #callback: () => void
  readonly #delayMs: number
  readonly #isRepeated: boolean
  /** The wait that counts; one that was replaced or ended finds another here. */
  #cell: Int32Array | undefined
  #isRefed = true

  constructor(callback: () => void, delayMs: number, { isRepeated = false }: { readonly isRepeated?: boolean } = {}) {
    this.#callback = callback
    // As Node's own.
    this.#delayMs = delayMs >= 1 && delayMs <= LONGEST_DELAY_MS ? delayMs : 1
    this.#isRepeated = isRepeated
    this.refresh()
  }

  ref(): this {
    if (!this.#isRefed && this.#cell !== undefined) held.hold()
    this.#isRefed = true
    return this
  }

  unref(): this {
    if (this.#isRefed && this.#cell !== undefined) held.release()
    this.#isRefed = false
    return this
  }

  hasRef(): boolean {
    return this.#isRefed
  }

  refresh(): this {
    this.close()
    const cell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
    this.#cell = cell
    if (this.#isRefed) held.hold()
    void waitFor(cell, this.#delayMs).then(() => this.#expire(cell))
    return this
  }

  close(): this {
    if (this.#cell === undefined) return this
    const cell = this.#cell
    this.#cell = undefined
    if (this.#isRefed) held.release()
    // Ends the wait, so that nothing is left of it.
    Atomics.notify(cell, 0)
    return this
  }

  [Symbol.toPrimitive](): number {
    return Number.NaN
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** The name that it has in Node's own. */
  _onTimeout(): void {
    this.#callback()
  }

  #expire(cell: Int32Array): void {
    if (this.#cell !== cell) return
    this.close()
    if (this.#isRepeated) this.refresh()
    // Outside of the promise: what it throws is an uncaught exception, as that of any timer.
    const { port1, port2 } = new MessageChannel()
    port1.once('message', () => {
      port1.close()
      this.#callback()
    })
    port2.postMessage(undefined)
  }
}

async function waitFor(cell: Int32Array, delayMs: number): Promise<void> {
  const { value } = Atomics.waitAsync(cell, 0, 0, delayMs)
  await value
}

/** Keeps the event loop going while a timer that is not unref'd runs: such waits alone do not. */
class Held {
  #holds = 0
  #port: MessagePort | undefined

  hold(): void {
    this.#holds += 1
    this.#port ??= new MessageChannel().port1.on('message', () => undefined)
    this.#port.ref()
  }

  release(): void {
    this.#holds -= 1
    if (this.#holds === 0) this.#port?.unref()
  }
}

const held = new Held()
