import { copyBytes } from './copy-bytes.ts'
import { isError, parseErrorFields, reviveError, toErrorFields } from './error-fields.ts'
import type { ExplainRefusal } from './error-fields.ts'
import { readBlob, readByteStream } from './read-bytes.ts'
import { findShared } from './shared.ts'
import type { SharedValue } from './shared.ts'
import { Unsendable, isAsyncIterable } from './unsendable.ts'

type Reducers = Record<string, (value: unknown) => unknown>

/** Collects what travels beside the text. */
export interface PartSink {
  readonly parts: Uint8Array[]
  /** Parts that are still being read (blobs, streams); absent where nothing can wait for them. */
  readonly pending?: Promise<void>[]
  /** Ends the reading of streams. */
  readonly signal?: AbortSignal | undefined
  /** Signals that the value holds; absent where nobody could pass their abort on. */
  readonly signals?: AbortSignal[] | undefined
  /** Values that are sent apart; absent where everything is sent as it is. */
  readonly shared?: SharedValue[] | undefined
  /** Streams that are sent on when somebody reads them; absent where they have to be read before. */
  readonly streams?: AsyncIterable<unknown>[] | undefined
  /** Errors that are being encoded; one of them met again is a cycle. */
  readonly ancestors: readonly Error[]
  readonly explain: ExplainRefusal
}

/** How types beyond devalue's own become text and parts. The names are part of the wire format. */
export function createReducers(sink: PartSink): Reducers {
  return {
    // devalue itself asks for the buffer of a typed array, so this one name serves both.
    ArrayBuffer: (value) =>
      value instanceof ArrayBuffer && !isApart(value, sink) ? reduceBuffer(value, sink) : undefined,
    Special: (value) => (typeof value === 'object' && value !== null ? reduceSpecial(value, sink) : undefined),
  }
}

/**
 * The reverse of `createReducers`.
 * @param around where what was not sent along is to be found
 */
export function createRevivers(parts: readonly Uint8Array[], around: DecodeOptions): Reducers {
  return {
    // Text that people wrote with plain devalue holds base64 here.
    ArrayBuffer: (data) =>
      toArrayBuffer(typeof data === 'string' ? Buffer.from(data, 'base64') : readPart(parts, data)),
    Special: (reduced) => reviveSpecial(reduced, { ...around, parts }),
  }
}

function reduceSpecial(value: object, sink: PartSink): unknown[] | undefined {
  const shared = sink.shared === undefined ? undefined : findShared(value)
  if (shared !== undefined) {
    sink.shared?.push(shared)
    return ['Shared', shared.key]
  }
  if (ArrayBuffer.isView(value)) return reduceView(value, sink)
  if (isError(value)) {
    if (sink.ancestors.includes(value)) return [new Unsendable('part of a cycle through an error')]
    return ['Error', toErrorFields(value, sink.ancestors, sink.explain)]
  }
  if (value instanceof Blob) return reduceBlob(value, sink)
  if (value instanceof ReadableStream) return reduceReadableStream(value, sink)
  if (value instanceof AbortSignal) return reduceSignal(value, sink)
  return isAsyncIterable(value) && sink.streams !== undefined
    ? ['AsyncIterable', keepStream(value, sink.streams)]
    : undefined
}

function isApart(value: object, { shared }: PartSink): boolean {
  return shared !== undefined && findShared(value) !== undefined
}

/** A view that is not the whole of its buffer is sent without the rest of it. */
function reduceView(view: ArrayBufferView, sink: PartSink): unknown[] | undefined {
  const isBuffer = Buffer.isBuffer(view)
  const isWhole = view.byteLength === view.buffer.byteLength && view.buffer instanceof ArrayBuffer
  if (isWhole && !isBuffer) return undefined
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  return [isBuffer ? 'Buffer' : viewName(view), addPart(sink, copyBytes(bytes))]
}

function reduceBlob(blob: Blob, sink: PartSink): unknown[] {
  if (sink.pending === undefined) return [new Unsendable('a Blob, which errors cannot hold')]
  const number = addPending(sink, readBlob(blob))
  return blob instanceof File ? ['File', number, blob.type, blob.name, blob.lastModified] : ['Blob', number, blob.type]
}

function reduceReadableStream(stream: ReadableStream<unknown>, sink: PartSink): unknown[] {
  if (sink.pending === undefined) return [new Unsendable('a ReadableStream, which errors cannot hold')]
  if (stream.locked) return [new Unsendable('a ReadableStream that somebody reads already')]
  if (sink.streams !== undefined) return ['ReadableStream', keepStream(stream, sink.streams)]
  return ['ReadBytes', addPending(sink, readByteStream(stream, sink.signal))]
}

function keepStream(stream: AsyncIterable<unknown>, streams: AsyncIterable<unknown>[]): number {
  return streams.push(stream) - 1
}

function addPending(sink: PartSink, bytes: Promise<Uint8Array>): number {
  const number = addPart(sink, new Uint8Array(0))
  sink.pending?.push(
    bytes.then((read) => {
      sink.parts[number - 1] = read
    }),
  )
  return number
}

/** Stands for a signal of the other side: it aborts when one of those that were sent does. */
function reduceSignal(signal: AbortSignal, sink: PartSink): unknown[] {
  if (sink.signals === undefined) return [new Unsendable('an AbortSignal, which only the arguments of a call can hold')]
  sink.signals.push(signal)
  return ['AbortSignal']
}

/** Numbers start at 1, since devalue takes 0 for "not mine". */
function addPart(sink: PartSink, bytes: Uint8Array): number {
  return sink.parts.push(bytes)
}

function reduceBuffer(buffer: ArrayBuffer, sink: PartSink): number | Unsendable {
  if ('detached' in buffer && buffer.detached === true) return new Unsendable('a detached ArrayBuffer')
  return addPart(sink, copyBytes(new Uint8Array(buffer)))
}

/** What a value may refer to without holding it. */
export interface DecodeOptions {
  /** The signal that stands for those among the arguments of a call. */
  readonly toSignal?: () => AbortSignal
  /** A value that was sent before. */
  readonly toShared?: (key: string) => unknown
  /** A stream that the other side sends on, by its number. */
  readonly toStream?: (number: number) => AsyncIterableIterator<unknown>
}

interface Received extends DecodeOptions {
  readonly parts: readonly Uint8Array[]
}

function reviveSpecial(reduced: unknown, { parts, toSignal, toShared, toStream }: Received): unknown {
  if (!Array.isArray(reduced)) throw new Error('a special value without its kind')
  const [kind, data, type, name, lastModified]: unknown[] = reduced
  if (kind === 'Error') return reviveError(parseErrorFields(data))
  if (kind === 'Blob') return new Blob([readPart(parts, data)], { type: String(type) })
  if (kind === 'Shared' && toShared !== undefined) return toShared(String(data))
  if (kind === 'ReadBytes') return new Blob([readPart(parts, data)]).stream()
  if (kind === 'ReadableStream' && toStream !== undefined) return ReadableStream.from(toStream(Number(data)))
  if (kind === 'AsyncIterable' && toStream !== undefined) return toStream(Number(data))
  if (kind === 'AbortSignal') return (toSignal ?? neverAborted)()
  if (kind === 'File') {
    return new File([readPart(parts, data)], String(name), { type: String(type), lastModified: Number(lastModified) })
  }
  // Text that people wrote with plain devalue holds the buffer itself here.
  const buffer = data instanceof ArrayBuffer ? data : toArrayBuffer(readPart(parts, data))
  if (kind === 'Buffer') return Buffer.from(buffer)
  const create = typeof kind === 'string' ? VIEWS.get(kind) : undefined
  if (create === undefined) throw new Error(`an unknown type ${String(kind)}`)
  return create(buffer)
}

function neverAborted(): AbortSignal {
  return new AbortController().signal
}

const VIEWS: ReadonlyMap<string, (buffer: ArrayBuffer) => ArrayBufferView> = new Map<
  string,
  (buffer: ArrayBuffer) => ArrayBufferView
>([
  ['Int8Array', (buffer) => new Int8Array(buffer)],
  ['Uint8Array', (buffer) => new Uint8Array(buffer)],
  ['Uint8ClampedArray', (buffer) => new Uint8ClampedArray(buffer)],
  ['Int16Array', (buffer) => new Int16Array(buffer)],
  ['Uint16Array', (buffer) => new Uint16Array(buffer)],
  ['Int32Array', (buffer) => new Int32Array(buffer)],
  ['Uint32Array', (buffer) => new Uint32Array(buffer)],
  ['Float32Array', (buffer) => new Float32Array(buffer)],
  ['Float64Array', (buffer) => new Float64Array(buffer)],
  ['BigInt64Array', (buffer) => new BigInt64Array(buffer)],
  ['BigUint64Array', (buffer) => new BigUint64Array(buffer)],
  ['DataView', (buffer) => new DataView(buffer)],
])

function viewName(view: ArrayBufferView): string {
  return Object.prototype.toString.call(view).slice('[object '.length, -1)
}

function readPart(parts: readonly Uint8Array[], number: unknown): Uint8Array {
  const part = typeof number === 'number' ? parts[number - 1] : undefined
  if (part === undefined) throw new Error('a binary part that is not there')
  return part
}

/** Large parts arrive in memory of their own and are used as they are; small ones lie in a shared chunk. */
function toArrayBuffer(part: Uint8Array): ArrayBuffer {
  const { buffer } = part
  if (buffer instanceof ArrayBuffer && buffer.byteLength === part.byteLength) return buffer
  return copyBytes(part).buffer
}
