import { toEvent } from './stream-port.ts'
import type { StreamPort } from './stream-port.ts'
import { decodeValue, encodeError } from './values.ts'
import type { WireValue } from './values.ts'

/** Items that may be under way before the reader took any; the other side waits beyond. */
const STREAM_WINDOW = 16

/** What the user has of a stream of the other side. Nothing else holds it: when it is dropped, nobody wants the rest. */
export class StreamReader implements AsyncIterableIterator<unknown> {
  readonly #stream: IncomingStream

  constructor(stream: IncomingStream) {
    this.#stream = stream
    dropped.register(this, stream)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<unknown, undefined>> {
    const item = await this.#stream.take()
    if (item === undefined) return { done: true, value: undefined }
    this.#stream.allow(1)
    return { done: false, value: decodeValue(item) }
  }

  /** Resolves when the other side has closed what it had open for the stream. */
  async return(reason?: unknown): Promise<IteratorResult<unknown, undefined>> {
    if (this.#stream.leave(reason)) await this.#stream.take()
    return { done: true, value: undefined }
  }
}

const dropped = /* @__PURE__ */ new FinalizationRegistry<IncomingStream>((stream) => {
  stream.leave(new Error('Nobody reads it.'))
})

/** A stream of the other side. Items that have arrived can be read also after its end. */
export class IncomingStream {
  readonly #number: number
  readonly #port: StreamPort
  #items: WireValue[] = []
  #isAsked = false
  #isLeft = false
  #ended: { readonly failure: { readonly error: unknown } | undefined } | undefined
  #wakes: (() => void)[] = []

  constructor(number: number, port: StreamPort) {
    this.#number = number
    this.#port = port
  }

  /** The next item, `undefined` after the last. @throws what the stream failed with */
  async take(): Promise<WireValue | undefined> {
    if (!this.#isAsked && !this.#isLeft) this.allow(STREAM_WINDOW)
    while (this.#items.length === 0 && this.#ended === undefined) await this.#arrival()
    const item = this.#items.shift()
    if (item === undefined && this.#ended?.failure !== undefined) throw this.#ended.failure.error
    return item
  }

  allow(items: number): void {
    this.#isAsked = true
    if (this.#ended === undefined) this.#port.post(toEvent(this.#number, 'credit', { items }))
  }

  /** Nobody wants the rest. False: there is none. */
  leave(reason: unknown): boolean {
    this.#items = []
    if (this.#ended !== undefined) return false
    if (!this.#isLeft) this.#port.post(toEvent(this.#number, 'cancel', { value: encodeError(reason) }))
    this.#isLeft = true
    return true
  }

  add(item: WireValue): void {
    if (this.#isLeft) return
    this.#items.push(item)
    this.#wake()
  }

  end(failure: { readonly error: unknown } | undefined): void {
    this.#ended ??= { failure }
    this.#wake()
  }

  async #arrival(): Promise<void> {
    this.#port.onWaiting?.(true)
    await new Promise<void>((resolve) => this.#wakes.push(resolve))
    this.#port.onWaiting?.(false)
  }

  #wake(): void {
    const wakes = this.#wakes
    this.#wakes = []
    for (const wake of wakes) wake()
  }
}
