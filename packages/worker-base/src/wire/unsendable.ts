import { DEFAULT_MAX_FRAME_BYTES, MOST_PARTS } from './frame.ts'

/** Largest value that is sent: a frame without room for the fields beside it. */
export const MAX_VALUE_BYTES: number = DEFAULT_MAX_FRAME_BYTES - 1024 * 1024

/** A value of more bytes, or more binary parts, than a frame holds. */
export class ValueTooLargeError extends Error {
  override name = 'ValueTooLargeError'
  /** @param amount as far as it was counted */
  constructor(amount: number, unit: 'bytes' | 'binary parts' = 'bytes') {
    const limit = unit === 'bytes' ? MAX_VALUE_BYTES : MOST_PARTS
    super(`The values have ${amount} ${unit} or more; the limit is ${limit} ${unit}.`)
  }
}

/** A value that cannot cross between program and worker. */
export class UnsendableValueError extends Error {
  override name = 'UnsendableValueError'
  /** Where it is: `arguments[0].options.onDone`, `captures[1]`, `result.items[3]`. */
  readonly path: string
  /** What it is and what to do, as the end of a sentence: `a function`, `a promise; await it first`. */
  readonly reason: string
  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`${path} cannot be sent: it is ${reason}.`, options)
    this.path = path
    this.reason = reason
  }
}

/** Put in place of a value by the walk that refuses it: devalue then stops there, and knows the path. */
export class Unsendable {
  readonly reason: string
  constructor(reason: string) {
    this.reason = reason
  }
}

/** Says what kind of unsendable thing `value` is. */
export function explainUnsendable(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'symbol') return 'a symbol'
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`
  if (value instanceof Unsendable) return value.reason
  if ('then' in value && typeof value.then === 'function') return 'a promise; await it first'
  if (isAsyncIterable(value))
    return 'an async iterable, which only the arguments or the result of a single call can hold'
  const name = className(value)
  if (name === 'Object') return explainPlainObject(value)
  if (name === 'SharedArrayBuffer') return 'a SharedArrayBuffer, which only threads of one process can share'
  if (WEAK.has(name)) return `a ${name}, whose entries cannot be listed`
  return `an instance of class ${name}; send a plain object with its data instead`
}

export function isAsyncIterable(value: object): value is AsyncIterable<unknown> {
  return Symbol.asyncIterator in value && typeof value[Symbol.asyncIterator] === 'function'
}

const WEAK: ReadonlySet<string> = new Set(['WeakMap', 'WeakSet', 'WeakRef'])

function className(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  const named = typeof prototype === 'object' && prototype !== null && 'constructor' in prototype
  const name = named && typeof prototype.constructor === 'function' ? prototype.constructor.name : 'Object'
  return name === '' ? '(anonymous)' : name
}

function explainPlainObject(value: object): string {
  if (Object.hasOwn(value, '__proto__')) return 'an object with a "__proto__" key'
  if (Object.getOwnPropertySymbols(value).length > 0) return 'an object with symbol keys'
  return 'an object with a prototype of its own; send a plain object with its data instead'
}
