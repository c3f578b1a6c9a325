import { DevalueError, parse, stringify } from 'devalue'

import { isTinyJson } from './tiny-json.ts'
import { UnsendableValueError, explainUnsendable } from './unsendable.ts'
import { createReducers, createRevivers } from './value-types.ts'
import type { PartSink } from './value-types.ts'

/** A value as it crosses: text, and binary data beside it. It is a copy: later changes of the original do not show. */
export interface WireValue {
  /** `json`: plain JSON, the short way for small plain data. */
  readonly format: 'json' | 'devalue'
  readonly text: string
  readonly parts: readonly Uint8Array[]
  /** Signals among the arguments; not sent: whoever sends the value passes their abort on with `cancel`. */
  readonly signals?: readonly AbortSignal[]
}

const NO_PARTS: readonly Uint8Array[] = []

/** `undefined`, the most common result. */
export const UNDEFINED_VALUE: WireValue = { format: 'devalue', text: '-1', parts: NO_PARTS }

/**
 * Encodes a value. Date, Map, Set, BigInt, RegExp, URL, URLSearchParams, typed arrays, DataView, ArrayBuffer, Buffer,
 * Blob, File, ReadableStream of bytes, errors, cycles, repeated references, holes, `undefined`, `-0` and NaN arrive as they are.
 * A view of a part of an ArrayBuffer is sent without the rest of it. A promise is returned only if the value holds
 * a Blob, File or ReadableStream, whose bytes take time to read.
 * @param root how the paths in errors begin
 * @throws UnsendableValueError with the path to a function, symbol, class instance, promise …
 */
export function encodeValue(value: unknown, root = 'value'): WireValue | Promise<WireValue> {
  return encode(value, { toPath: (path) => root + path, signals: undefined })
}

/**
 * Encodes what a call takes, as one array: first the captures, then the arguments.
 * @throws UnsendableValueError whose path begins with `captures[…]` or `arguments[…]`
 */
export function encodeArguments(
  captures: readonly unknown[],
  args: readonly unknown[],
): WireValue | Promise<WireValue> {
  const toPath = (path: string): string => {
    const [, index = '', rest = ''] = /^\[(\d+)\](.*)$/s.exec(path) ?? []
    const position = Number(index) - captures.length
    return position < 0 ? `captures[${index}]${rest}` : `arguments[${position}]${rest}`
  }
  return encode(captures.length === 0 ? args : [...captures, ...args], { toPath, signals: [] })
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
 * @param toSignal gives the signal that stands for those among the arguments of a call
 * @throws MalformedValueError
 */
export function decodeValue(value: WireValue, toSignal?: () => AbortSignal): unknown {
  try {
    if (value.format === 'json') return JSON.parse(value.text)
    return parse(value.text, createRevivers(value.parts, toSignal))
  } catch (cause) {
    throw new MalformedValueError(cause)
  }
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

interface EncodeOptions {
  readonly toPath: (path: string) => string
  readonly signals: AbortSignal[] | undefined
}

function encode(value: unknown, { toPath, signals }: EncodeOptions): WireValue | Promise<WireValue> {
  if (value === undefined) return UNDEFINED_VALUE
  if (isPlain(value, toPath)) return { format: 'json', text: JSON.stringify(value), parts: NO_PARTS }
  const pending: Promise<void>[] = []
  const sink: PartSink = { parts: [], pending, signals, ancestors: [], explain: explainRefusal }
  const plain: WireValue = { format: 'devalue', text: toText(value, sink, toPath), parts: sink.parts }
  const encoded = signals === undefined || signals.length === 0 ? plain : { ...plain, signals }
  return pending.length === 0 ? encoded : Promise.all(pending).then(() => encoded)
}

function isPlain(value: unknown, toPath: (path: string) => string): boolean {
  try {
    return isTinyJson(value)
  } catch (error) {
    throw toUnsendable(error, toPath)
  }
}

function encodeNow(value: unknown): WireValue {
  const sink: PartSink = { parts: [], pending: undefined, signals: undefined, ancestors: [], explain: explainRefusal }
  return { format: 'devalue', text: toText(value, sink, (path) => `error${path}`), parts: sink.parts }
}

function explainRefusal(value: unknown, ancestors: readonly Error[]): string | undefined {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol')) {
    return undefined
  }
  try {
    toText(
      value,
      { parts: [], pending: undefined, signals: undefined, ancestors, explain: explainRefusal },
      (path) => path,
    )
    return undefined
  } catch (error) {
    return error instanceof UnsendableValueError ? error.reason : String(error)
  }
}

function toText(value: unknown, sink: PartSink, toPath: (path: string) => string): string {
  try {
    return stringify(value, createReducers(sink))
  } catch (error) {
    throw toUnsendable(error, toPath)
  }
}

function toUnsendable(error: unknown, toPath: (path: string) => string): UnsendableValueError {
  if (error instanceof DevalueError) {
    return new UnsendableValueError(toPath(error.path), explainUnsendable(error.value))
  }
  if (error instanceof RangeError) return new UnsendableValueError(toPath(''), 'nested too deeply', { cause: error })
  return new UnsendableValueError(toPath(''), 'a value that throws when it is read', { cause: error })
}
