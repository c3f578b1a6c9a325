import { LEFT_OUT } from './codes.ts'
import type { Place } from './place.ts'
import { quote } from './quote.ts'
import { readBlob, readByteStream } from './read-bytes.ts'
import { refused, toText } from './shape.ts'
import type { Shape } from './shape.ts'
import { explainUnsendable, isAsyncIterable } from './unsendable.ts'
import type { Writer } from './writer.ts'

/** What is read later, or goes on beside the value: blobs, streams, signals. */
export function toApart(writer: Writer, place: Place): Shape | undefined {
  const { object } = place
  if (object instanceof Blob) return toBlob(writer, place, object)
  if (object instanceof ReadableStream) return toStream(writer, place, object)
  if (object instanceof AbortSignal) return toSignal(writer, place, object)
  return isAsyncIterable(object) ? toAsyncIterable(writer, place, object) : undefined
}

export function toAsyncIterable({ around }: Writer, { object, notes }: Place, stream: AsyncIterable<unknown>): Shape {
  if (around.streams === undefined || notes !== undefined) return refused(NO_STREAM)
  if (isPlain(object) && Object.keys(object).length > 0) return refused(WITH_FIELDS)
  return toText('AsyncIterable', around.streams.push(stream) - 1)
}

const NO_STREAM = 'an async iterable, which only the arguments or the result of a single call can hold'
const WITH_FIELDS = 'an async iterable with fields of its own, which would be lost; send them beside it'

/** Made by a generator, or by an object literal: whoever gave it fields wants them to arrive. */
function isPlain(object: object): boolean {
  const tag = Object.prototype.toString.call(object)
  return tag === '[object Object]'
    ? Object.getPrototypeOf(object) === Object.prototype
    : tag === '[object AsyncGenerator]'
}

function toBlob(writer: Writer, place: Place, blob: Blob): Shape {
  if (place.notes !== undefined) return refused('a Blob, which errors cannot hold')
  const prototype: unknown = Object.getPrototypeOf(blob)
  if (prototype !== Blob.prototype && prototype !== File.prototype) return refused(explainUnsendable(blob))
  const number = addLate(writer, place, () => readBlob(blob))
  if (number === LEFT_OUT) return toText('null')
  if (!(blob instanceof File)) return toText('Blob', `${number},${quote(blob.type)}`)
  return toText('File', `${number},${quote(blob.type)},${quote(blob.name)},${blob.lastModified}`)
}

function toStream(writer: Writer, place: Place, stream: ReadableStream<unknown>): Shape {
  const { signal, streams } = writer.around
  if (place.notes !== undefined) return refused('a ReadableStream, which errors cannot hold')
  if (stream.locked) return refused('a ReadableStream that somebody reads already')
  if (streams !== undefined) return toText('ReadableStream', streams.push(stream) - 1)
  const number = addLate(writer, place, () => readByteStream(stream, signal))
  return number === LEFT_OUT ? toText('null') : toText('ReadBytes', number)
}

/** The bytes are read when the rest of the value has turned out to be sendable. */
function addLate(writer: Writer, place: Place, read: () => Promise<Uint8Array>): number {
  const part = writer.addPart(new Uint8Array(0), place, '')
  if (part !== LEFT_OUT) writer.late.push({ part, read })
  return part
}

/** Stands for a signal of the other side: it aborts when one of those that were sent does. */
function toSignal({ around }: Writer, { notes }: Place, signal: AbortSignal): Shape {
  if (around.signals === undefined || notes !== undefined) return refused(NO_SIGNAL)
  around.signals.push(signal)
  return toText('AbortSignal')
}

const NO_SIGNAL = 'an AbortSignal, which only the arguments of a call can hold'
