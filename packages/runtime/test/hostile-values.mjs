// Values and errors as user code may make them, in the worker and in the program: `makeHostile(seed)`.
// This text is put in front of both, so it imports nothing.
/* oxlint-disable no-sparse-arrays, unicorn/no-new-array */

function createRandom(seed) {
  let state = (seed * 0x9e3779b1) | 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

const no = () => {
  throw new Error('not to be read')
}
const getter = (object, key, get = no) =>
  Object.defineProperty(object, key, { get, enumerable: true, configurable: true })
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}
const trap = (target, names) => new Proxy(target, Object.fromEntries(names.map((name) => [name, no])))
const TRAPS = ['get', 'has', 'ownKeys', 'getPrototypeOf', 'getOwnPropertyDescriptor', 'isExtensible']
const nest = (levels, wrap, inner) => {
  let value = inner
  for (let level = 0; level < levels; level += 1) value = wrap(value)
  return value
}
const endless = () => ({
  get next() {
    return endless()
  },
})
const magic = () =>
  new Proxy(
    {},
    {
      get: (_, key) => (typeof key === 'symbol' ? undefined : magic()),
      ownKeys: () => ['a'],
      getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
    },
  )

class Polyfill extends Error {
  code = 20
}
Object.defineProperty(Polyfill, 'name', { value: 'DOMException' })
class Quota extends DOMException {
  code = 42
}
class AllFailed extends AggregateError {}
class Getters extends Error {
  get code() {
    return no()
  }
  get name() {
    return no()
  }
  get message() {
    return no()
  }
}
class Odd extends Error {
  static get name() {
    return no()
  }
}
class ZonedDate extends Date {
  zone = 'Paris'
}
class Counter extends Map {
  get(key) {
    return super.get(key) ?? 0
  }
}
class Tags extends Set {
  extra = 1
}
class Rows extends Array {
  total = 1
}
class Bytes extends Uint8Array {
  label = 'b'
}
class Link extends URL {
  rel = 'self'
}
class Pattern extends RegExp {
  label = 'p'
}
class Instance {
  field = 2
}

// prettier-ignore
const ERRORS = [
  () => Object.freeze(new TypeError('frozen')),
  () => Object.preventExtensions(Object.assign(new RangeError('sealed'), { code: 'E_SEALED' })),
  (random) => getter(new Error('a'), ['stack', 'message', 'name', 'cause', 'code', 'constructor', 'errors', 'notSent'][random(8)]),
  () => new Polyfill('aborted'), () => new Quota('too much', 'QuotaError'), () => new Getters('a'), () => new Odd('a'),
  () => new DOMException('stop', 'AbortError'),
  () => Object.assign(new AggregateError([new Error('one')], 'all'), { errors: undefined }),
  () => Object.assign(new AggregateError([], 'all'), { errors: 7 }),
  () => getter(new AggregateError([new Error('one')], 'all'), 'errors'),
  () => new AllFailed([new RangeError('one'), 'two', () => 3], 'all failed'),
  () => nest(30, (inner) => Object.assign(new Error('level'), { inner, again: inner }), new Error('first')),
  (random) => nest(random(300), (cause) => new Error('level', { cause }), new Error('first')),
  () => { const error = new Error('round'); error.cause = error; error.list = [error]; return error },
  (random) => Object.assign(new Error('tree'), { tree: nest(random(4) === 0 ? 12_000 : 50, (tree) => ({ tree }), {}) }),
  () => Object.assign(new Error('long'), { text: 'é'.repeat(20_000), message: '\ud800"\0'.repeat(2000) }),
  () => Object.assign(new Error('stackless'), { stack: [1, 2] }), () => Object.assign(new Error('a'), { stack: 'x'.repeat(5000) }),
  () => Object.assign(new Error('names'), { name: { a: 1 } }), () => Object.assign(new Error('a'), { name: Symbol('a') }),
  () => Object.setPrototypeOf(new Error('bare'), null), () => Object.create(Error.prototype),
  () => Object.defineProperties(new Error('hidden'), { issues: { value: [1] }, _zod: { value: { def: () => 1 } }, toString: { value: () => 'x' } }),
  () => Object.assign(new Error('many'), Object.fromEntries(Array.from({ length: 100 }, (_, n) => ['f' + n, () => n]))),
  () => trap(new Error('proxy'), ['get']), () => trap(new Error('proxy'), ['ownKeys']), () => new Proxy(new Error('proxy'), {}),
  () => Object.assign(new Error('a'), { ['__proto__x']: 1, '': 2, 'a b': Symbol('x'), 10: 3n, notSent: ['before'] }),
]
// prettier-ignore
const VALUES = [
  () => Object.create(null), () => revoked(), (random) => trap({}, [TRAPS[random(TRAPS.length)]]), () => trap({}, TRAPS), () => trap([], TRAPS),
  () => 'in 1984'.match(/(?<y>\d)/d), () => [...'a1b2'.matchAll(/\d/g)], () => ((strings) => strings)`a\u0031${1}b`,
  () => Object.assign([1, 2], { label: 'x' }), () => Object.assign(new Map([[1, 2]]), { note: 'x' }), () => Object.assign(new Set(), { note: () => 1 }),
  () => Object.assign(new Date(0), { zone: 'P' }), () => new ZonedDate(0), () => new Counter(), () => new Tags(), () => new Rows(3), () => new Bytes(2), () => new Link('http://a'), () => new Pattern('a'), () => new Instance(),
  () => () => 1, () => Symbol('a'), () => Object(Symbol('a')), () => Object('boxed'), () => Object(1n), () => new Date(NaN), () => -(10n ** 500n),
  () => ({ toJSON: () => 1 }), () => ({ toJSON: 'text', '"\n\ud800': '\udfff' }), () => JSON.parse('{"__proto__":{"a":1}}'), () => getter({}, 'a'), () => getter([], 'a'),
  () => { let n = 0; return getter({}, 'a', () => (n += 1) === 1 ? 1 : 2n) }, () => getter({}, 'then'), () => ({ [Symbol('a')]: 1 }), () => ({ [Symbol.toStringTag]: 'Map' }), () => Object.defineProperty({}, Symbol.toStringTag, { value: 'Date' }),
  (random) => (random(20) === 0 ? endless() : 1), (random) => (random(20) === 0 ? magic() : 1), (random) => nest([10, 1000, 12_000][random(30) === 0 ? 2 : random(2)], (inner) => [inner], 1),
  () => Object.assign([], { 4_000_000: 1 }), () => [, 1, , ], () => new Array(5), () => { const list = []; list.push(list, { list }); return list },
  () => new Uint8Array(10).subarray(2, 5), () => Buffer.from('abc'), () => new Float64Array(3), () => new Int32Array(new SharedArrayBuffer(8)), () => new SharedArrayBuffer(8),
  () => { const buffer = new ArrayBuffer(8); structuredClone(buffer, { transfer: [buffer] }); return buffer },
  () => Array.from({ length: 500 }, () => Uint8Array.of(1)), () => 'é'.repeat(100_000), () => '\0'.repeat(5000), () => new Blob(['a']), () => new AbortController().signal, () => new WeakMap(), () => Promise.resolve(1),
  () => Object.assign((async function* () {})(), { total: 3 }), () => (function* () {})(), () => globalThis, () => process, () => new Proxy([1, 2], {}), () => new Proxy(new Map(), {}),
  () => new URL('http://a/?b'), () => /a\/"/giu, () => Object.setPrototypeOf({ a: 1 }, { b: 2 }), () => Object.setPrototypeOf(new Date(), null), () => Object.setPrototypeOf([1], null), () => listOfArguments(1, 2),
]
function listOfArguments() {
  return arguments
}
const STACKS = [undefined, undefined, undefined, (_, sites) => sites, no, () => undefined, () => ({ toString: no })]

/** An error or another value, perhaps inside of others. */
export function makeHostile(seed, kind) {
  const random = createRandom(seed)
  const list = kind === 'error' || random(3) === 0 ? ERRORS : VALUES
  const value = list[random(list.length)](random)
  Error.prepareStackTrace = STACKS[random(STACKS.length)]
  switch (kind === 'error' ? 0 : random(8)) {
    case 1:
      return [1, value]
    case 2:
      return { a: { b: value } }
    case 3:
      return new Map([
        ['key', value],
        [value, 1],
      ])
    case 4:
      return new Set([value])
    case 5:
      return Object.assign(new Error('outer'), { value, list: [value] })
    default:
      return value
  }
}
