import { describe, expect, it } from 'vitest'

import { UnsendableValueError, ValueTooLargeError } from './unsendable.ts'
import { decodeValue, encodeArguments, encodeValue } from './values.ts'

class Point {
  readonly x = 1
}

async function roundTrip(value: unknown): Promise<unknown> {
  return decodeValue(await encodeValue(value))
}

// prettier-ignore
const subclasses: readonly object[] = [
  new (class ZonedDate extends Date { readonly zone: string = 'Paris' })(0),
  new (class Counter extends Map { override get(key: unknown): unknown { return super.get(key) ?? 0 } })(),
  new (class Tags extends Set {})(), new (class Rows extends Array {})(3), new (class Link extends URL {})('http://a'),
  new (class Pattern extends RegExp {})('a'), new (class Bytes extends Uint8Array {})(2),
  new (class Image extends Blob {})([]), new (class Memory extends ArrayBuffer {})(1),
]

const refused: readonly (readonly [string, unknown, unknown])[] = [
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
  ['an array with symbol keys', Object.assign([], { [Symbol('key')]: 1 }), 'an array with symbol keys'],
  ['a view of shared memory', new Int32Array(new SharedArrayBuffer(4)), expect.stringContaining('SharedArrayBuffer')],
  ...subclasses.map((value): readonly [string, unknown, unknown] => [
    value.constructor.name,
    value,
    `an instance of class ${value.constructor.name}; send a plain object with its data instead`,
  ]),
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
    expect(() => encodeArguments([], [deep])).toThrow(/^arguments\[0\].*…\(\d+ more\)….* nested too deeply/)
    const trap = {
      get secret(): never {
        throw new Error('no')
      },
    }
    expect(() => encodeValue(trap)).toThrow(/^value\.secret .*throws when it is read/)
  })

  it('reads everything once, so that what changes is what it was at that time', () => {
    let reads = 0
    const counter = Object.defineProperty({}, 'n', { enumerable: true, get: () => ((reads += 1) === 1 ? 1 : 2n) })
    expect(decodeValue(Object(encodeValue(counter)))).toEqual({ n: 1 })
    expect(reads).toBe(1)
  })

  it('refuses objects that make new ones whenever they are read', () => {
    const endless = (): object => ({
      get next() {
        return endless()
      },
    })
    expect(() => encodeValue(endless())).toThrow(/nested too deeply/)
  })

  it('carries thousands of levels', async () => {
    let deep: unknown = 1
    for (let level = 0; level < 9000; level += 1) deep = [deep]
    let received = await roundTrip(deep)
    for (let level = 0; level < 9000; level += 1) received = Object(received)[0]
    expect(received).toBe(1)
  })

  it('counts bytes, not characters', () => {
    expect(() => encodeValue('é'.repeat(130 * 2 ** 20))).toThrow(ValueTooLargeError)
  })

  it('keeps the raw texts of a template', async () => {
    const tag = (texts: TemplateStringsArray): TemplateStringsArray => texts
    expect(Object(await roundTrip(tag`a\u0031`)).raw).toEqual(['a\\u0031'])
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
