import { types } from 'node:util'

import { RemoteError } from './remote-error.ts'
import { classNameOf } from './unsendable.ts'

type CreateError = (message: string, name: string) => Error

const BUILT_IN: ReadonlyMap<string, CreateError> = new Map<string, CreateError>([
  ...[Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map(
    (Class): [string, CreateError] => [Class.name, (message) => new Class(message)],
  ),
  ['AggregateError', (message) => new AggregateError([], message)],
  ['DOMException', (message, name) => new DOMException(message, name)],
])

const namesByPrototype: ReadonlyMap<unknown, string> = new Map(
  [...BUILT_IN.keys()].map((name) => [Reflect.get(Reflect.get(globalThis, name), 'prototype'), name]),
)

export function isError(value: object): value is Error {
  return value instanceof Error || types.isNativeError(value)
}

export interface ErrorClass {
  /** The built-in class that the error is an instance of, and of none below it; empty for other classes. */
  readonly builtIn: string
  readonly name: string
}

/** What is known of the class of an error whose prototype or constructor may be anything. */
export function classOfError(error: Error): ErrorClass {
  try {
    const name = classNameOf(error)
    return { builtIn: builtInOf(error, name) ?? '', name }
  } catch {
    return { builtIn: '', name: 'Error' }
  }
}

function builtInOf(error: Error, name: string): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(error)
  const known = namesByPrototype.get(prototype)
  if (known !== undefined || typeof prototype !== 'object' || prototype === null) return known
  // Node's own errors are of hidden classes right below the one that they are named after.
  const above = namesByPrototype.get(Object.getPrototypeOf(prototype))
  if (above !== undefined && (name === above || name === 'NodeError')) return above
  return BUILT_IN.has(name) && isNative(prototype.constructor) ? name : undefined
}

/** A class of the engine, in another realm. */
function isNative(constructor: unknown): boolean {
  return (
    typeof constructor === 'function' && Function.prototype.toString.call(constructor).endsWith('{ [native code] }')
  )
}

/** An error of this class, without fields. */
export function createError({ builtIn, name: className }: ErrorClass, message: string, name: string): Error {
  return BUILT_IN.get(builtIn)?.(message, name) ?? new RemoteError(message, className)
}
