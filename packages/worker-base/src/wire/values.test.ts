import { describe, expect, it } from 'vitest'

import { decodeError, decodeValue, encodeArguments, encodeError, encodeValue } from './values.ts'
import type { WireValue } from './values.ts'
import { RemoteError } from './remote-error.ts'
import { UnsendableValueError } from './unsendable.ts'

class Point {
  readonly x = 1
}

class HttpError extends Error {
  override name = 'HttpError'
  readonly status = 404
  readonly headers: Map<string, string> = new Map([['a', 'b']])
  readonly retry = (): void => {}
}

async function roundTrip(value: unknown): Promise<unknown> {
  return decodeValue(await encodeValue(value))
}

function cycle(): unknown {
  const value: Record<string, unknown> = { name: 'cycle', list: [] }
  value['self'] = value
  value['list'] = [value, [value]]
  return value
}

const shared = { shared: true }
const floats = new Float64Array([1.5, -0, Number.NaN, Infinity])

const values: readonly (readonly [string, unknown])[] = [
  ['undefined', undefined],
  ['null', null],
  ['true', true],
  ['a string', 'plain'],
  ['a string with everything', 'ä\u2028"\\<script>\ud83d\ude00 \ud800 \0'],
  ['zero', 0],
  ['minus zero', -0],
  ['NaN', Number.NaN],
  ['infinities', [Infinity, -Infinity]],
  ['a big integer', 2n ** 80n],
  ['a plain object', { a: 1, b: [2, 'x', null], c: { d: false } }],
  ['an object with undefined', { a: undefined, b: 1 }],
  ['an object without prototype', Object.assign(Object.create(null), { a: 1 })],
  // oxlint-disable-next-line no-sparse-arrays
  ['an array with holes', [1, , 3]],
  ['a very sparse array', Object.assign([], { 100_000: 1 })],
  ['nested -0', { a: [-0] }],
  ['a date', new Date(1e12)],
  ['an invalid date', new Date(Number.NaN)],
  ['a map', new Map<unknown, unknown>([[{ key: 1 }, new Set([1, 'two'])]])],
  ['a set', new Set([Number.NaN, undefined])],
  ['a regular expression', /a\/b"/giu],
  ['a URL', new URL('https://a.example/b?c=d#e')],
  ['search parameters', new URLSearchParams('a=1&a=2')],
  ['a boxed number', Object(4)],
  ['an ArrayBuffer', Uint8Array.of(1, 2, 3).buffer],
  ['an empty ArrayBuffer', new ArrayBuffer(0)],
  ['a Uint8Array', Uint8Array.of(1, 2, 3)],
  ['a Uint8Array view', Uint8Array.of(1, 2, 3, 4).subarray(1, 3)],
  ['a Uint8ClampedArray', Uint8ClampedArray.of(300)],
  ['an Int8Array', Int8Array.of(-1)],
  ['an Int16Array', Int16Array.of(-300, 5).subarray(1)],
  ['a Uint16Array', Uint16Array.of(300)],
  ['an Int32Array', Int32Array.of(-70_000)],
  ['a Uint32Array', Uint32Array.of(70_000)],
  ['a Float32Array', Float32Array.of(0.5)],
  ['a Float64Array', floats],
  ['a BigInt64Array', BigInt64Array.of(-5n)],
  ['a BigUint64Array', BigUint64Array.of(5n)],
  ['a DataView', new DataView(Uint8Array.of(1, 2, 3, 4).buffer)],
  ['a DataView of a part', new DataView(Uint8Array.of(1, 2, 3, 4).buffer, 1, 2)],
  ['a Buffer', Buffer.from('from the pool')],
  ['a large Buffer', Buffer.alloc(100_000, 7)],
  ['repeated references', [shared, shared]],
  ['a cycle', cycle()],
  ['an object with a key named toJSON', { toJSON: 'text' }],
]

describe('values that arrive as they were sent', () => {
  it.each(values)('%s', async (_name, value) => {
    expect(await roundTrip(value)).toStrictEqual(value)
    expect(await roundTrip([value, { deep: value }])).toStrictEqual([value, { deep: value }])
  })

  it('keeps -0, also in places where equality does not see it', async () => {
    expect(Object.is(await roundTrip(-0), -0)).toBe(true)
  })

  it('keeps repeated references and cycles as such', async () => {
    const both = { data: Uint8Array.of(1) }
    const received = await roundTrip({ first: both, second: both, buffer: both.data.buffer })
    expect(received).toMatchObject({ first: { data: Uint8Array.of(1) } })
    const { first, second, buffer } = Object(received)
    expect(first).toBe(second)
    expect(first.data.buffer).toBe(buffer)
  })

  it('sends only what a view shows', async () => {
    const encoded = await encodeValue(new Uint8Array(1_000_000).subarray(10, 20))
    expect(encoded.parts.map((part) => part.byteLength)).toEqual([10])
    const received = Object(await roundTrip(Buffer.from('abc')))
    expect(Buffer.isBuffer(received)).toBe(true)
    expect(received.buffer.byteLength).toBe(3)
  })

  it('takes a copy, so later changes do not show', async () => {
    const bytes = Uint8Array.of(1, 2, 3)
    const encoded = await encodeValue({ bytes })
    bytes.fill(9)
    expect(decodeValue(encoded)).toEqual({ bytes: Uint8Array.of(1, 2, 3) })
  })

  it('never puts binary data into the text', async () => {
    const encoded = await encodeValue(new Uint8Array(10_000))
    expect(encoded.text.length).toBeLessThan(100)
  })

  it('reads blobs and files', async () => {
    const blob = new Blob(['héllo'], { type: 'text/plain' })
    const file = new File(['bytes'], 'name.txt', { type: 'text/html', lastModified: 5 })
    const received = Object(await roundTrip({ blob, file, twice: blob }))
    expect([await received.blob.text(), received.blob.type]).toEqual(['héllo', 'text/plain'])
    expect(received.file).toBeInstanceOf(File)
    expect([await received.file.text(), received.file.name, received.file.lastModified]).toEqual([
      'bytes',
      'name.txt',
      5,
    ])
    expect(received.twice).toBe(received.blob)
  })

  it('takes the short way for small plain values only', async () => {
    expect(await encodeValue({ a: [1, 'x', true, null] })).toMatchObject({ format: 'json' })
    for (const value of [[undefined], [-0], [shared, shared], [new Date()], { a: Number.NaN }]) {
      expect(await encodeValue(value)).toMatchObject({ format: 'devalue' })
    }
  })
})

const refused: readonly (readonly [string, unknown, string])[] = [
  ['a function', () => 1, 'a function'],
  ['a symbol', Symbol('s'), 'a symbol'],
  ['a class instance', new Point(), 'an instance of class Point; send a plain object with its data instead'],
  ['a promise', Promise.resolve(1), 'a promise; await it first'],
  ['a WeakMap', new WeakMap(), 'a WeakMap, whose entries cannot be listed'],
  ['a WeakSet', new WeakSet(), 'a WeakSet, whose entries cannot be listed'],
  [
    'a generator',
    (function* () {})(),
    'an object with a prototype of its own; send a plain object with its data instead',
  ],
  ['a SharedArrayBuffer', new SharedArrayBuffer(1), 'a SharedArrayBuffer, which only threads of one process can share'],
  ['symbol keys', { [Symbol('key')]: 1 }, 'an object with symbol keys'],
  ['a __proto__ key', JSON.parse('{"__proto__": 1}'), 'an object with a "__proto__" key'],
]

describe('values that cannot be sent', () => {
  it.each(refused)('%s', (_name, value, reason) => {
    const args = [{ options: { onDone: value } }]
    expect(() => encodeArguments([], args)).toThrow(
      expect.objectContaining({ name: 'UnsendableValueError', path: 'arguments[0].options.onDone', reason }),
    )
  })

  it('names captures, list positions and map keys', () => {
    const paths = [
      pathOf(() => encodeArguments([1, { f: pathOf }], [])),
      pathOf(() => encodeArguments([1], [2, [0, pathOf]])),
      pathOf(() => encodeValue(new Map([['key', pathOf]]), 'result')),
      pathOf(() => encodeValue(pathOf, 'result')),
    ]
    expect(paths).toEqual(['captures[1].f', 'arguments[1][1]', 'result.get("key")', 'result'])
  })

  it('refuses what is nested too deeply, or throws when read', () => {
    let deep: unknown = 1
    for (let depth = 0; depth < 100_000; depth += 1) deep = [deep]
    expect(() => encodeArguments([], [deep])).toThrow(/nested too deeply/)
    const trap = {
      get secret(): never {
        throw new Error('no')
      },
    }
    expect(() => encodeValue(trap)).toThrow(/throws when it is read/)
  })

  it('refuses a detached buffer', () => {
    const buffer = new ArrayBuffer(8)
    structuredClone(buffer, { transfer: [buffer] })
    expect(() => encodeValue({ buffer })).toThrow(UnsendableValueError)
  })
})

function pathOf(encode: () => unknown): string {
  try {
    encode()
    return 'sent'
  } catch (error) {
    if (error instanceof UnsendableValueError) return error.path
    throw error
  }
}

describe('errors', () => {
  const classes = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]

  it.each(classes.map((Class) => [Class.name, Class] as const))('%s keeps its class', (_name, Class) => {
    const error = Object.assign(new Class('message', { cause: new Class('cause') }), { code: 'E_CODE', data: [1n] })
    const received = decodeError(encodeError(error))
    expect(Object.getPrototypeOf(received)).toBe(Class.prototype)
    expect(received).toStrictEqual(error)
    expect(received).toMatchObject({ name: error.name, stack: error.stack, cause: { message: 'cause' } })
  })

  it('keeps the errors of an AggregateError', () => {
    const received = decodeError(encodeError(new AggregateError([new TypeError('a'), 'b'], 'both')))
    expect(received).toBeInstanceOf(AggregateError)
    expect(received).toMatchObject({ message: 'both', errors: [expect.any(TypeError), 'b'] })
  })

  it('keeps errors of Node and of the web', async () => {
    const missing = await import('node:fs/promises')
      .then((fs) => fs.readFile('/does/not/exist'))
      .catch((e: unknown) => e)
    const invalid = catchError(() => Buffer.from(Object(1)))
    const abort = new DOMException('stop', 'AbortError')
    expect(decodeError(encodeError(missing))).toMatchObject({ code: 'ENOENT', syscall: 'open', errno: -2 })
    expect(decodeError(encodeError(invalid))).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
    expect(decodeError(encodeError(invalid))).toBeInstanceOf(TypeError)
    expect(decodeError(encodeError(abort))).toBeInstanceOf(DOMException)
    expect(decodeError(encodeError(abort))).toMatchObject({ name: 'AbortError', message: 'stop', stack: abort.stack })
  })

  it('makes a RemoteError of other classes and marks what was not sent', () => {
    const received = decodeError(encodeError(new HttpError('gone', { cause: { why: 'moved' } })))
    expect(received).toBeInstanceOf(RemoteError)
    expect(received).toMatchObject({
      name: 'HttpError',
      message: 'gone',
      remoteClass: 'HttpError',
      code: 'REMOTE_ERROR',
      status: 404,
      headers: new Map([['a', 'b']]),
      cause: { why: 'moved' },
      notSent: ['retry: a function'],
    })
  })

  it('survives cycles through causes and fields', () => {
    const error: Error & { owner?: unknown } = new Error('round')
    error.cause = error
    error.owner = { error, name: 'owner' }
    const received = decodeError(encodeError(error))
    expect(received).toMatchObject({ message: 'round', cause: '[circular]' })
    expect(received).toMatchObject({ notSent: ['owner: part of a cycle through an error'] })
  })

  it('cuts endless chains of causes', () => {
    let error = new Error('0')
    for (let depth = 1; depth < 100; depth += 1) error = new Error(String(depth), { cause: error })
    expect(decodeError(encodeError(error))).toMatchObject({ message: '99', cause: { message: '98' } })
  })

  it('carries values that are no errors, and explains those that cannot be sent', () => {
    expect(decodeError(encodeError('just text'))).toBe('just text')
    expect(decodeError(encodeError(undefined))).toBe(undefined)
    expect(decodeError(encodeError({ status: 1n }))).toEqual({ status: 1n })
    expect(decodeError(encodeError(() => 1))).toMatchObject({
      message: 'What was thrown cannot be sent: it is a function.',
    })
  })

  it('carries errors as values, with their identity', async () => {
    const error = new RangeError('value')
    const received = Object(await roundTrip({ first: error, list: [error] }))
    expect(received.first).toBeInstanceOf(RangeError)
    expect(received.list[0]).toBe(received.first)
  })
})

function catchError(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return error
  }
}

describe('damaged values', () => {
  const damaged: readonly (readonly [string, Partial<WireValue>])[] = [
    ['no text', { text: '' }],
    ['cut text', { text: '[{"a":1}' }],
    ['cut JSON', { format: 'json', text: '{"a"' }],
    ['a part that is missing', { text: '[["ArrayBuffer",1],1]' }],
    ['an unknown type', { text: '[["Special",1],["Nonsense"]]' }],
    ['an error without fields', { text: '[["Special",1],[2],"Error"]' }],
    ['a reference out of bounds', { text: '[{"a":7}]' }],
    ['a huge typed array by number', { text: '[["Uint8Array",1],4000000000]' }],
  ]
  it.each(damaged)('%s', (_name, value) => {
    expect(() => decodeValue({ format: 'devalue', text: '', parts: [], ...value })).toThrow(/cannot be read/)
  })
})
