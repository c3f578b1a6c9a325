import { DevalueError, parse, stringify } from 'devalue'

import { MOST_PARTS } from './frame.ts'
import { isTinyJson } from './tiny-json.ts'
import { MAX_VALUE_BYTES, UnsendableValueError, ValueTooLargeError, explainUnsendable } from './unsendable.ts'
import { createReducers, createRevivers } from './value-types.ts'
import type { DecodeOptions, PartSink } from './value-types.ts'
import { rememberShared } from './shared.ts'
import type { SharedValue } from './shared.ts'

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

/** Longest text that V8 holds. */
const MAX_TEXT_UNITS = 2 ** 29 - 24
const NO_PARTS: readonly Uint8Array[] = []
const NOTHING_AROUND: DecodeOptions = {}

/** `undefined`, the most common result. */
export const UNDEFINED_VALUE: WireValue = { format: 'devalue', text: '-1', parts: NO_PARTS }

/**
 * Encodes a value. Date, Map, Set, BigInt, RegExp, URL, URLSearchParams, typed arrays, DataView, ArrayBuffer, Buffer,
 * Blob, File, ReadableStream, errors, cycles, repeated references, holes, `undefined`, `-0` and NaN arrive as they are.
 * A view of a part of an ArrayBuffer is sent without the rest of it. A promise is returned only if the value holds
 * something whose bytes take time to read: a Blob, a File, or a ReadableStream where streams are not kept.
 * @param root how the paths in errors begin
 * @throws UnsendableValueError with the path to a function, symbol, class instance, promise …; ValueTooLargeError
 */
export function encodeValue(
  value: unknown,
  root = 'value',
  { keepStreams = false }: StreamOptions = {},
): WireValue | Promise<WireValue> {
  return encode(value, { toPath: (path) => root + path, streams: keepStreams ? [] : undefined })
}

export interface StreamOptions {
  /**
   * Streams and async iterables stay as they are, in `streams`, unread. Default false: streams of bytes become bytes,
   * async iterables are refused.
   */
  readonly keepStreams?: boolean
}

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
  return encode(values, { toPath, signals: [], shared: [], signal, streams: keepStreams ? [] : undefined })
}

/** The text of small plain values, as `encodeArguments` would make it; `undefined` for others, for it to encode or refuse. */
export function toPlainText(captures: readonly unknown[], args: readonly unknown[]): string | undefined {
  const values = captures.length === 0 ? args : [...captures, ...args]
  try {
    return isTinyJson(values) ? JSON.stringify(values) : undefined
  } catch {
    return undefined
  }
}

/**
 * Encodes what was thrown: an error with name, message, stack, own fields, causes, or any other value. Never fails:
 * what cannot be sent is left out, and the error that arrives says so in `notSent`.
 */
export function encodeError(thrown: unknown): WireValue {
  const refusal = explainRefusal(thrown, [])
  const sendable = refusal === undefined ? thrown : new TypeError(`What was thrown cannot be sent: it is ${refusal}.`)
  return encodeNow(sendable)
}

/**
 * @param around what the arguments of a call may refer to
 * @throws MalformedValueError
 */
export function decodeValue(value: WireValue, around: DecodeOptions = NOTHING_AROUND): unknown {
  try {
    if (value.format === 'json') return JSON.parse(value.text)
    return parse(value.text, createRevivers(value.parts, around))
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

/** What `encodeError` encoded: an error of its own built-in class or a `RemoteError`; or the value that was thrown. */
export function decodeError(value: WireValue): unknown {
  return decodeValue(value)
}

/** The text or the parts of a value were damaged, or made by another version. */
export class MalformedValueError extends Error {
  override name = 'MalformedValueError'
  constructor(cause: unknown) {
    super(`A received value cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`, { cause })
  }
}

interface EncodeOptions extends Pick<PartSink, 'signal' | 'signals' | 'shared' | 'streams'> {
  readonly toPath: (path: string) => string
}

function encode(value: unknown, { toPath, ...around }: EncodeOptions): WireValue | Promise<WireValue> {
  if (value === undefined) return UNDEFINED_VALUE
  if (isPlain(value, toPath)) return { format: 'json', text: toJson(value), parts: NO_PARTS }
  const pending: Promise<void>[] = []
  const sink: PartSink = { parts: [], pending, ...around, ancestors: [], explain: explainRefusal }
  const encoded: WireValue = { format: 'devalue', text: toText(value, sink, toPath), parts: sink.parts, ...apart(sink) }
  return pending.length === 0 ? checkSize(encoded) : Promise.all(pending).then(() => checkSize(encoded))
}

function toJson(value: unknown): string {
  let text: string
  try {
    text = JSON.stringify(value)
  } catch (error) {
    throw isTextTooLong(error) ? new ValueTooLargeError(MAX_TEXT_UNITS) : error
  }
  if (text.length > MAX_VALUE_BYTES) throw new ValueTooLargeError(text.length)
  return text
}

function checkSize(value: WireValue): WireValue {
  const bytes = value.parts.reduce((total, part) => total + part.byteLength, value.text.length)
  if (bytes > MAX_VALUE_BYTES) throw new ValueTooLargeError(bytes)
  if (value.parts.length > MOST_PARTS) throw new ValueTooLargeError(value.parts.length, 'binary parts')
  return value
}

/** What does not travel with the value; absent where there is none. */
function apart({
  signals = [],
  shared = [],
  streams = [],
}: PartSink): Pick<WireValue, 'signals' | 'shared' | 'streams'> | undefined {
  if (signals.length + shared.length + streams.length === 0) return undefined
  return {
    ...(signals.length > 0 ? { signals } : {}),
    ...(shared.length > 0 ? { shared } : {}),
    ...(streams.length > 0 ? { streams } : {}),
  }
}

function isPlain(value: unknown, toPath: (path: string) => string): boolean {
  try {
    return isTinyJson(value)
  } catch (error) {
    throw toUnsendable(error, toPath)
  }
}

function encodeNow(value: unknown): WireValue {
  const sink: PartSink = { parts: [], ancestors: [], explain: explainRefusal }
  return { format: 'devalue', text: toText(value, sink, (path) => `error${path}`), parts: sink.parts }
}

function explainRefusal(value: unknown, ancestors: readonly Error[]): string | undefined {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol')) {
    return undefined
  }
  try {
    toText(value, { parts: [], ancestors, explain: explainRefusal }, (path) => path)
    return undefined
  } catch (error) {
    return error instanceof UnsendableValueError ? error.reason : String(error)
  }
}

function toText(value: unknown, sink: PartSink, toPath: (path: string) => string): string {
  try {
    return stringify(value, createReducers(sink))
  } catch (error) {
    if (isTextTooLong(error)) throw new ValueTooLargeError(MAX_TEXT_UNITS)
    throw toUnsendable(error, toPath)
  }
}

function isTextTooLong(error: unknown): boolean {
  return error instanceof RangeError && error.message === 'Invalid string length'
}

function toUnsendable(error: unknown, toPath: (path: string) => string): UnsendableValueError {
  if (error instanceof DevalueError) {
    return new UnsendableValueError(toPath(error.path), explainUnsendable(error.value))
  }
  if (error instanceof RangeError) return new UnsendableValueError(toPath(''), 'nested too deeply', { cause: error })
  return new UnsendableValueError(toPath(''), 'a value that throws when it is read', { cause: error })
}
