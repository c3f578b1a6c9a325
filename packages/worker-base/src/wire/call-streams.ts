import { inspect } from 'node:util'

import type { StreamMessage } from './messages.ts'
import { createCredit } from './pump.ts'
import { UNDEFINED_VALUE, decodeError, decodeValue, encodeError, encodeValue } from './values.ts'
import type { ErrorOptions, WireValue } from './values.ts'

/** Items that may be under way before the reader took any; the other side waits beyond. */
export const STREAM_WINDOW = 16

/** A `StreamMessage` without the call it belongs to. */
export type StreamEvent = Omit<StreamMessage, 'kind' | 'id'>

/** The way to the other side of a call. */
export interface StreamPort extends ErrorOptions {
  post(event: StreamEvent): void
  /** Resolves when the other side is not slower than this one. */
  whenDrained(): Promise<void>
  /** Told when a reader begins to wait for the other side, and when it has waited. */
  onWaiting?(isWaiting: boolean): void
}

/**
 * The streams of one call, on either side: those that are read here, and those of this side that the other one reads.
 * Nothing is read from a stream before its reader asks for it.
 */
export class CallStreams {
  readonly #port: StreamPort
  readonly #outgoing: Map<number, OutgoingStream> = new Map()
  readonly #incoming: Map<number, IncomingStream> = new Map()
  #closed: { readonly error: unknown } | undefined

  constructor(port: StreamPort) {
    this.#port = port
  }

  /** Sends these on, as fast as they are read. Resolves when all have ended, or are not wanted any more. */
  async send(streams: readonly AsyncIterable<unknown>[]): Promise<void> {
    await Promise.all(streams.map((stream, number) => this.#send(stream, number)))
  }

  /** The stream with this number, to be read once. */
  read(number: number): AsyncIterableIterator<unknown> {
    const known = this.#incoming.get(number) ?? new IncomingStream(number, this.#port)
    this.#incoming.set(number, known)
    if (this.#closed !== undefined) known.end(this.#closed)
    return known
  }

  receive({ stream, event, items, value }: StreamEvent): void {
    switch (event) {
      case 'item':
        return this.#incoming.get(stream)?.add(value)
      case 'end':
        return this.#incoming.get(stream)?.end(undefined)
      case 'error':
        return this.#incoming.get(stream)?.end({ error: decodeError(value) })
      case 'credit':
        return this.#outgoing.get(stream)?.allow(items)
      case 'cancel':
        return this.#outgoing.get(stream)?.stop(decodeError(value))
    }
  }

  /** The call is over: its own streams are told to return, and who still reads the other side's gets `error`. */
  close(error: unknown): void {
    this.#closed ??= { error }
    for (const stream of this.#outgoing.values()) stream.stop(error)
    for (const stream of this.#incoming.values()) stream.end(this.#closed)
  }

  async #send(stream: AsyncIterable<unknown>, number: number): Promise<void> {
    const outgoing = new OutgoingStream(stream, (item) => this.#give(item, number), this.#port)
    this.#outgoing.set(number, outgoing)
    if (this.#closed !== undefined) outgoing.stop(this.#closed.error)
    try {
      await outgoing.run()
      this.#port.post(toEvent(number, 'end'))
    } catch (error) {
      if (this.#closed === undefined)
        this.#port.post(toEvent(number, 'error', { value: encodeError(error, this.#port) }))
      else if (error !== this.#closed.error) warnOf(error)
    }
  }

  async #give(value: WireValue, number: number): Promise<void> {
    this.#port.post(toEvent(number, 'item', { value }))
    await this.#port.whenDrained()
  }
}

function toEvent(
  stream: number,
  event: StreamEvent['event'],
  { items = 0, value = UNDEFINED_VALUE }: { readonly items?: number; readonly value?: WireValue } = {},
): StreamEvent {
  return { stream, event, items, value }
}

/** Nobody waits for the stream any more. The error may be anything: a copy of it cannot do harm. */
function warnOf(error: unknown): void {
  const copy = decodeError(encodeError(error))
  process.emitWarning(copy instanceof Error ? copy : inspect(copy))
}

/** A stream of this side: read as far as there is credit, no further. */
class OutgoingStream {
  readonly #iterator: AsyncIterator<unknown>
  readonly #give: (item: WireValue) => Promise<void>
  readonly #mapStack: ErrorOptions['mapStack']
  readonly #credit = createCredit(0)
  #stopped: Promise<unknown> | undefined

  constructor(stream: AsyncIterable<unknown>, give: (item: WireValue) => Promise<void>, { mapStack }: ErrorOptions) {
    this.#iterator = iterate(stream)
    this.#give = give
    this.#mapStack = mapStack
  }

  allow(items: number): void {
    this.#credit.add(items)
  }

  /** Nobody wants the rest. */
  stop(reason: unknown): void {
    this.#credit.close()
    this.#stopped ??= this.#return(reason)
    // Heard in `run`, which may have to wait for the next item first.
    this.#stopped.catch(() => undefined)
  }

  /** Resolves when the stream has ended or was stopped; rejects with what it failed with. */
  async run(): Promise<void> {
    for (let index = 0; await this.#credit.take(); index += 1) {
      const next = await this.#iterator.next()
      if (next.done === true || this.#stopped !== undefined) break
      await this.#send(next.value, index)
    }
    await this.#stopped
  }

  async #send(item: unknown, index: number): Promise<void> {
    try {
      await this.#give(await encodeValue(item, `item[${index}]`, { mapStack: this.#mapStack }))
    } catch (error) {
      this.stop(error)
      throw error
    }
  }

  async #return(reason: unknown): Promise<void> {
    await this.#iterator.return?.(reason)
  }
}

/** A stream that cannot be read says so to its reader. */
function iterate(stream: AsyncIterable<unknown>): AsyncIterator<unknown> {
  try {
    return stream instanceof ReadableStream ? readFrom(stream) : stream[Symbol.asyncIterator]()
  } catch (error) {
    return { next: () => Promise.reject(error) }
  }
}

/** Locks the stream at once, and can cancel it while something is being read. */
function readFrom(stream: ReadableStream<unknown>): AsyncIterator<unknown> {
  const reader: ReadableStreamDefaultReader<unknown> = stream.getReader()
  return {
    next: async () => {
      const { done, value } = await reader.read()
      return { done, value }
    },
    return: async (reason) => {
      await reader.cancel(reason)
      return { done: true, value: undefined }
    },
  }
}

/** A stream of the other side. Items that have arrived can be read also after its end. */
class IncomingStream implements AsyncIterableIterator<unknown> {
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

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<unknown, undefined>> {
    if (!this.#isAsked && !this.#isLeft) this.#allow(STREAM_WINDOW)
    while (this.#items.length === 0 && this.#ended === undefined) await this.#arrival()
    const item = this.#items.shift()
    if (item === undefined) {
      if (this.#ended?.failure !== undefined) throw this.#ended.failure.error
      return { done: true, value: undefined }
    }
    this.#allow(1)
    return { done: false, value: decodeValue(item) }
  }

  /** Resolves when the other side has closed what it had open for the stream. */
  async return(reason?: unknown): Promise<IteratorResult<unknown, undefined>> {
    this.#items = []
    if (this.#ended !== undefined) return { done: true, value: undefined }
    this.#isLeft = true
    this.#port.post(toEvent(this.#number, 'cancel', { value: encodeError(reason) }))
    return await this.next()
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

  #allow(items: number): void {
    this.#isAsked = true
    if (this.#ended === undefined) this.#port.post(toEvent(this.#number, 'credit', { items }))
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
