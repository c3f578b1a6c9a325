import { inspect } from 'node:util'

import { IncomingStream, StreamReader } from './incoming-stream.ts'
import { toEvent } from './stream-port.ts'
import type { StreamEvent, StreamPort } from './stream-port.ts'
import { createCredit } from './pump.ts'
import { decodeError, encodeError, encodeValue } from './values.ts'
import type { ErrorOptions, WireValue } from './values.ts'

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
    return new StreamReader(known)
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
    if (stream instanceof ReadableStream) return readFrom(stream)
    const iterator = stream[Symbol.asyncIterator]()
    return isDestroyable(stream) ? destroyAtReturn(stream, iterator) : iterator
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

interface Destroyable {
  destroy(): unknown
}

/** The streams of Node hold what they have open from the start, not from when they are read. */
function isDestroyable(stream: object): stream is Destroyable {
  return 'destroy' in stream && typeof stream.destroy === 'function'
}

function destroyAtReturn(stream: Destroyable, iterator: AsyncIterator<unknown>): AsyncIterator<unknown> {
  let isLeft = false
  return {
    next: async () => {
      try {
        return await iterator.next()
      } catch (error) {
        // To be destroyed is no failure of it.
        if (isLeft) return { done: true, value: undefined }
        throw error
      }
    },
    return: async () => {
      isLeft = true
      stream.destroy()
      return { done: true, value: undefined }
    },
  }
}
