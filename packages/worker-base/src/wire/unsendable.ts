import { DEFAULT_MAX_FRAME_BYTES, MOST_PARTS } from './frame.ts'

/** Largest value that is sent: a frame without room for the fields beside it. */
export const MAX_VALUE_BYTES: number = DEFAULT_MAX_FRAME_BYTES - 1024 * 1024
/**
 * Most levels of objects inside of objects. Neither side recurses, so it does not depend on anybody's stack: it ends
 * walks through objects that make new ones whenever they are read.
 */
export const MAX_DEPTH = 10_000
/** Most objects in one value: somewhat fewer than a Map of V8 holds. */
export const MAX_OBJECTS = 16_000_000

/** What keeps a value from being sent. Told by its brand, since `instanceof` runs code of what it looks at. */
export abstract class Refusal extends Error {
  // oxlint-disable-next-line no-unused-private-class-members -- asked for with `in`
  readonly #isRefusal = true
  static is(error: unknown): error is Refusal {
    return typeof error === 'object' && error !== null && #isRefusal in error
  }
}

/** A value of more bytes, or more binary parts, than a frame holds. */
export class ValueTooLargeError extends Refusal {
  override name = 'ValueTooLargeError'
  /** @param amount as far as it was counted */
  constructor(amount: number, unit: 'bytes' | 'binary parts' = 'bytes') {
    const limit = unit === 'bytes' ? MAX_VALUE_BYTES : MOST_PARTS
    super(`The values have ${amount} ${unit} or more; the limit is ${limit} ${unit}.`)
  }
}

/** A value that cannot cross between program and worker. */
export class UnsendableValueError extends Refusal {
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

export const THROWS = 'a value that throws when it is read'
export const TOO_LARGE = 'too large'
export const TOO_DEEP = 'nested too deeply'

/** Says what kind of unsendable thing `value` is. May throw, by code of the value. */
export function explainUnsendable(value: object): string {
  if ('then' in value && typeof value.then === 'function') return 'a promise; await it first'
  const name = classNameOf(value)
  if (name === 'Object') return explainPlainObject(value)
  if (name === 'SharedArrayBuffer') return SHARED_MEMORY
  if (WEAK.has(name)) return `a ${name}, whose entries cannot be listed`
  return `an instance of class ${name}; send a plain object with its data instead`
}

export const SHARED_MEMORY = 'a SharedArrayBuffer, which only threads of one process can share'

export function isAsyncIterable(value: object): value is AsyncIterable<unknown> {
  return Symbol.asyncIterator in value && typeof value[Symbol.asyncIterator] === 'function'
}

const WEAK: ReadonlySet<string> = new Set(['WeakMap', 'WeakSet', 'WeakRef'])
const MAX_NAME_UNITS = 100

/** May throw, by code of the value. */
export function classNameOf(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  const named = typeof prototype === 'object' && prototype !== null && 'constructor' in prototype
  const name: unknown = named && typeof prototype.constructor === 'function' ? prototype.constructor.name : 'Object'
  return typeof name === 'string' && name !== '' ? name.slice(0, MAX_NAME_UNITS) : '(anonymous)'
}

function explainPlainObject(value: object): string {
  if (Object.hasOwn(value, '__proto__')) return 'an object with a "__proto__" key'
  if (Object.getOwnPropertySymbols(value).length > 0) return 'an object with symbol keys'
  return 'an object with a prototype of its own; send a plain object with its data instead'
}
