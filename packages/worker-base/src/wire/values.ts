import type { DecodeOptions } from './built-ins.ts'
import { Notes } from './place.ts'
import { rememberShared } from './shared.ts'
import type { SharedValue } from './shared.ts'
import { listToTinyJson, toTinyJson } from './tiny-json.ts'
import { MAX_VALUE_BYTES, UnsendableValueError, ValueTooLargeError } from './unsendable.ts'
import { readValue } from './value-reader.ts'
import { ValueWriter } from './value-writer.ts'
import type { Surroundings } from './writer.ts'

/** A value as it crosses: text, and binary data beside it. It is a copy: later changes of the original do not show. */
export interface WireValue {
  /** `json`: plain JSON, the short way for small plain data. */
  readonly format: 'json' | 'devalue'
  readonly text: string
  readonly parts: readonly Uint8Array[]
  /** Signals among the arguments; not sent: whoever sends the value passes their abort on with `cancel`. */
  readonly signals?: readonly AbortSignal[]
  /** Values among the arguments that have to be sent before, with `share`; not sent with it. */
  readonly shared?: readonly SharedValue[]
  /** Streams that the value holds, by number; whoever sends the value sends them on with `stream` events. */
  readonly streams?: readonly AsyncIterable<unknown>[]
}

/** UTF-8 has at most so many bytes for a unit. */
const MAX_BYTES_PER_UNIT = 3
const NO_PARTS: readonly Uint8Array[] = []
const NOTHING_AROUND: DecodeOptions = {}

/** `undefined`, the most common result. */
export const UNDEFINED_VALUE: WireValue = { format: 'devalue', text: '-1', parts: NO_PARTS }

/**
 * Encodes a value. Plain objects, arrays, Date, Map, Set, BigInt, RegExp, URL, URLSearchParams, typed arrays, DataView, ArrayBuffer, Buffer,
 * Blob, File, ReadableStream, errors, cycles, repeated references, holes, `undefined`, `-0`, NaN, and fields that arrays,
 * dates, maps and others have besides arrive as they are. Instances of classes below them are refused.
 * A view of a part of an ArrayBuffer is sent without the rest of it. A promise is returned only if the value holds
 * something whose bytes take time to read: a Blob, a File, or a ReadableStream where streams are not kept.
 * @param root how the paths in errors begin
 * @throws UnsendableValueError with the path to a function, symbol, class instance, promise …; ValueTooLargeError
 */
export function encodeValue(
  value: unknown,
  root = 'value',
  { keepStreams = false, mapStack }: ResultOptions = {},
): WireValue | Promise<WireValue> {
  const quick = encodeTiny(value)
  return quick ?? encode(value, { toPath: (path) => root + path, mapStack, streams: keepStreams ? [] : undefined })
}

export interface StreamOptions {
  /**
   * Streams and async iterables stay as they are, in `streams`, unread. Default false: streams of bytes become bytes,
   * async iterables are refused.
   */
  readonly keepStreams?: boolean
}

export interface ErrorOptions {
  /** How the stacks of errors are told to the other side. Default: as they are. */
  readonly mapStack?: ((stack: string) => string) | undefined
}

export interface ResultOptions extends StreamOptions, ErrorOptions {}

export interface ArgumentOptions extends StreamOptions {
  /** Ends the reading of streams that are not kept. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Encodes what a call takes, as one array: first the captures, then the arguments.
 * @throws UnsendableValueError whose path begins with `captures[…]` or `arguments[…]`; ValueTooLargeError
 */
export function encodeArguments(
  captures: readonly unknown[],
  args: readonly unknown[],
  { keepStreams = false, signal }: ArgumentOptions = {},
): WireValue | Promise<WireValue> {
  const toPath = (path: string): string => {
    const [, index = '', rest = ''] = /^\[(\d+)\](.*)$/s.exec(path) ?? []
    const position = Number(index) - captures.length
    return position < 0 ? `captures[${index}]${rest}` : `arguments[${position}]${rest}`
  }
  const values = captures.length === 0 ? args : [...captures, ...args]
  const tiny = listToTinyJson(values)
  if (tiny !== undefined) return { format: 'json', text: tiny, parts: NO_PARTS }
  return encode(values, { toPath, signals: [], shared: [], signal, streams: keepStreams ? [] : undefined })
}

/** The text of small plain values, as `encodeArguments` would make it; `undefined` for others, for it to encode or refuse. */
export function toPlainText(captures: readonly unknown[], args: readonly unknown[]): string | undefined {
  return listToTinyJson(captures.length === 0 ? args : [...captures, ...args])
}

/**
 * Encodes what was thrown: an error with name, message, stack, own fields, causes, or any other value. Never fails:
 * what cannot be sent is left out, and what arrives says so in `notSent`.
 */
export function encodeError(thrown: unknown, { mapStack }: ErrorOptions = {}): WireValue {
  const notes = new Notes()
  const writer = new ValueWriter({ toPath: (path) => `error${path}`, mapStack })
  const text = writer.writeThrown(thrown, notes)
  if (text !== undefined) return { format: 'devalue', text, parts: writer.parts }
  const why = (notes.lines[0] ?? '').replace(/^: /, '')
  return encodeError(new TypeError(`What was thrown cannot be sent: it is ${why}.`))
}

/**
 * @param around what the arguments of a call may refer to
 * @throws MalformedValueError
 */
export function decodeValue(value: WireValue, around: DecodeOptions = NOTHING_AROUND): unknown {
  try {
    if (value.format === 'json') return JSON.parse(value.text)
    return readValue(value.text, { ...around, parts: value.parts })
  } catch (cause) {
    throw new MalformedValueError(cause)
  }
}

/**
 * Marks an object: calls that hold it send it to each worker once, as it is now.
 * @throws UnsendableValueError, ValueTooLargeError
 */
export function shareValue(object: object): void {
  const toPath = (path: string): string => `value${path}`
  const value = encode(object, { toPath })
  if (value instanceof Promise) throw new UnsendableValueError('value', 'a value whose bytes take time to read')
  rememberShared(object, value)
}

/**
 * What `encodeError` encoded: an error of its own built-in class or a `RemoteError`, or the value that was thrown. Never
 * fails: in place of what cannot be read comes a `MalformedValueError`.
 */
export function decodeError(value: WireValue): unknown {
  try {
    return decodeValue(value)
  } catch (error) {
    return error
  }
}

/** The text or the parts of a value were damaged, or made by another version. */
export class MalformedValueError extends Error {
  override name = 'MalformedValueError'
  constructor(cause: unknown) {
    super(`A received value cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`, { cause })
  }
}

/** The short way, for most results. */
function encodeTiny(value: unknown): WireValue | undefined {
  if (value === undefined) return UNDEFINED_VALUE
  const text = toTinyJson(value)
  return text === undefined ? undefined : { format: 'json', text, parts: NO_PARTS }
}

function encode(value: unknown, around: Surroundings): WireValue | Promise<WireValue> {
  const writer = new ValueWriter(around)
  const text = writer.write(value)
  const encoded: WireValue = { format: 'devalue', text, parts: writer.parts, ...besides(around) }
  return writer.late.length === 0 ? checkSize(encoded) : readLate(writer, encoded)
}

async function readLate({ parts, late }: ValueWriter, encoded: WireValue): Promise<WireValue> {
  await Promise.all(
    late.map(async ({ part, read }) => {
      parts[part] = await read()
    }),
  )
  return checkSize(encoded)
}

function checkSize(value: WireValue): WireValue {
  const { text, parts } = value
  let bytes = text.length * MAX_BYTES_PER_UNIT
  for (const part of parts) bytes += part.byteLength
  if (bytes <= MAX_VALUE_BYTES) return value
  bytes += Buffer.byteLength(text) - text.length * MAX_BYTES_PER_UNIT
  if (bytes > MAX_VALUE_BYTES) throw new ValueTooLargeError(bytes)
  return value
}

/** What does not travel with the value; absent where there is none. */
function besides({
  signals = [],
  shared = [],
  streams = [],
}: Surroundings): Pick<WireValue, 'signals' | 'shared' | 'streams'> | undefined {
  if (signals.length + shared.length + streams.length === 0) return undefined
  return {
    ...(signals.length > 0 ? { signals } : {}),
    ...(shared.length > 0 ? { shared } : {}),
    ...(streams.length > 0 ? { streams } : {}),
  }
}
