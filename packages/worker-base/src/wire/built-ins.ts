import { copyBytes } from './copy-bytes.ts'
import { textToBigInt } from './quote.ts'

/** What a value may refer to without holding it. */
export interface DecodeOptions {
  /** The signal that stands for those among the arguments of a call. */
  readonly toSignal?: () => AbortSignal
  /** A value that was sent before. */
  readonly toShared?: (key: string) => unknown
  /** A stream that the other side sends on, by its number. */
  readonly toStream?: (number: number) => AsyncIterableIterator<unknown>
}

export interface Received extends DecodeOptions {
  readonly parts: readonly Uint8Array[]
}

/**
 * Makes an object of a built-in class that holds no others.
 * @param data its tag, then what belongs to it
 * @param toBuffer the ArrayBuffer with this number
 */
export function makeBuiltIn(
  [tag, data, ...more]: readonly unknown[],
  received: Received,
  toBuffer: (reference: unknown) => unknown,
): unknown {
  const make = typeof tag === 'string' ? KINDS.get(tag) : undefined
  if (make !== undefined) return make(data, received, more)
  if (typeof tag === 'string' && tag.startsWith('Temporal.')) return toTemporal(tag.slice('Temporal.'.length), data)
  const create = typeof tag === 'string' ? VIEWS.get(tag) : undefined
  const buffer = create === undefined ? undefined : toBuffer(data)
  if (create === undefined || !(buffer instanceof ArrayBuffer)) throw new Error(`an unknown type ${String(tag)}`)
  return create(buffer, ...toRange(more))
}

type Make = (data: unknown, received: Received, more: readonly unknown[]) => unknown

const KINDS: ReadonlyMap<string, Make> = new Map<string, Make>([
  ['Date', (text) => new Date(String(text))],
  ['RegExp', (source, _, [flags = '']) => new RegExp(String(source), String(flags))],
  ['URL', (text) => new URL(String(text))],
  ['URLSearchParams', (text) => new URLSearchParams(String(text))],
  ['BigInt', (text) => textToBigInt(String(text))],
  [
    'ArrayBuffer',
    (data, { parts }) => toArrayBuffer(typeof data === 'string' ? Buffer.from(data, 'base64') : readPart(parts, data)),
  ],
  ['Buffer', (data, { parts }) => Buffer.from(toArrayBuffer(readPart(parts, data)))],
  ['View', (data, { parts }, [tag]) => toView(tag, toArrayBuffer(readPart(parts, data)))],
  ['Blob', (data, { parts }, [type]) => new Blob([readPart(parts, data)], { type: String(type) })],
  ['File', toFile],
  ['ReadBytes', (data, { parts }) => new Blob([readPart(parts, data)]).stream()],
  ['ReadableStream', (number, received) => ReadableStream.from(toStream(number, received))],
  ['AsyncIterable', toStream],
  ['AbortSignal', (_, { toSignal }) => (toSignal ?? neverAborted)()],
  ['Shared', toShared],
])

function toFile(data: unknown, { parts }: Received, [type, name, lastModified]: readonly unknown[]): File {
  return new File([readPart(parts, data)], String(name), { type: String(type), lastModified: Number(lastModified) })
}

function toStream(number: unknown, { toStream: find }: Received): AsyncIterableIterator<unknown> {
  if (find === undefined) throw new Error('a stream where there is none')
  return find(Number(number))
}

function toShared(key: unknown, { toShared: find }: Received): unknown {
  if (find === undefined) throw new Error('a shared value where there is none')
  return find(String(key))
}

function neverAborted(): AbortSignal {
  return new AbortController().signal
}

function toTemporal(name: string, text: unknown): unknown {
  const from: unknown = Reflect.get(Object(Reflect.get(Object(Reflect.get(globalThis, 'Temporal')), name)), 'from')
  if (typeof from !== 'function') throw new Error(`Temporal.${name}, which this version of Node does not have`)
  const Class: unknown = Reflect.get(Object(Reflect.get(globalThis, 'Temporal')), name)
  return Reflect.apply(from, Class, [String(text)])
}

type CreateView = (buffer: ArrayBuffer, offset?: number, length?: number) => ArrayBufferView

const VIEWS: ReadonlyMap<string, CreateView> = new Map<string, CreateView>([
  ['Int8Array', (...range) => new Int8Array(...range)],
  ['Uint8Array', (...range) => new Uint8Array(...range)],
  ['Uint8ClampedArray', (...range) => new Uint8ClampedArray(...range)],
  ['Int16Array', (...range) => new Int16Array(...range)],
  ['Uint16Array', (...range) => new Uint16Array(...range)],
  ['Int32Array', (...range) => new Int32Array(...range)],
  ['Uint32Array', (...range) => new Uint32Array(...range)],
  ['Float32Array', (...range) => new Float32Array(...range)],
  ['Float64Array', (...range) => new Float64Array(...range)],
  ['BigInt64Array', (...range) => new BigInt64Array(...range)],
  ['BigUint64Array', (...range) => new BigUint64Array(...range)],
  ['DataView', (...range) => new DataView(...range)],
])

function toView(tag: unknown, buffer: ArrayBuffer): ArrayBufferView {
  const create = VIEWS.get(String(tag))
  if (create === undefined) throw new Error(`an unknown type ${String(tag)}`)
  return create(buffer)
}

/** Text that people wrote with plain devalue has views of parts of buffers. */
function toRange(range: readonly unknown[]): [] | [number, number] {
  const [offset, length] = range
  return typeof offset === 'number' && typeof length === 'number' ? [offset, length] : []
}

function readPart(parts: readonly Uint8Array[], number: unknown): Uint8Array {
  const part = typeof number === 'number' ? parts[number] : undefined
  if (part === undefined) throw new Error('a binary part that is not there')
  return part
}

/** Large parts arrive in memory of their own and are used as they are; small ones lie in a shared chunk. */
function toArrayBuffer(part: Uint8Array): ArrayBuffer {
  const { buffer } = part
  if (buffer instanceof ArrayBuffer && buffer.byteLength === part.byteLength) return buffer
  return copyBytes(part).buffer
}
