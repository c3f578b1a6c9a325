import { describe, expect, it } from 'vitest'

import { decodeValue, encodeValue } from './values.ts'
import type { WireValue } from './values.ts'

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
  ['a match, with its groups', 'in 1984'.match(/(?<year>\d{4})/d)],
  ['all matches', [...'a1b2'.matchAll(/[a-z](?<digit>\d)/g)]],
  ['an array with fields', Object.assign([1, 2], { label: 'x', at: new Date(0) })],
  [
    'a long array with fields',
    Object.assign(
      Array.from({ length: 100 }, () => 1),
      { label: 'x' },
    ),
  ],
  ['a map with fields', Object.assign(new Map([[1, 2]]), { note: 'x' })],
  ['a date with fields', Object.assign(new Date(5), { zone: 'Paris' })],
  ['a BigInt of many digits', -(7n ** 3000n)],
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

describe('damaged values', () => {
  const damaged: readonly (readonly [string, Partial<WireValue>])[] = [
    ['no text', { text: '' }],
    ['cut text', { text: '[{"a":1}' }],
    ['cut JSON', { format: 'json', text: '{"a"' }],
    ['a part that is missing', { text: '[["ArrayBuffer",1]]' }],
    ['an unknown type', { text: '[["Nonsense",1]]' }],
    ['an error without fields', { text: '[["Error","Error"]]' }],
    ['fields of fields', { text: '[["Fields",1,[],[]],["Fields",0,[],[]]]' }],
    ['a box around itself', { text: '[["Object",0]]' }],
    ['a BigInt of too many digits', { text: `[["BigInt","${'9'.repeat(200_000)}"]]` }],
    ['an item outside of its array', { text: '[[-7,3,5,1],1]' }],
    ['a reference out of bounds', { text: '[{"a":7}]' }],
    ['a huge typed array by number', { text: '[["Uint8Array",1],4000000000]' }],
  ]
  it.each(damaged)('%s', (_name, value) => {
    expect(() => decodeValue({ format: 'devalue', text: '', parts: [], ...value })).toThrow(/cannot be read/)
  })
})
