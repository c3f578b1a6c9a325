import { types } from 'node:util'

import { RemoteError } from './remote-error.ts'

/** An error as plain data. */
export interface ErrorFields {
  /** Name of its class; one of `BUILT_IN` is revived as that class. */
  readonly class: string
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly cause: ErrorPart | undefined
  /** Of an AggregateError. */
  readonly errors: readonly ErrorPart[] | undefined
  readonly fields: Readonly<Record<string, unknown>>
  /** Own fields that could not be sent, as `field: reason`. */
  readonly notSent: readonly string[]
}

type ErrorPart = { readonly error: ErrorFields } | { readonly value: unknown }

/** Tells why a value cannot be sent as part of these errors; `undefined` if it can. */
export type ExplainRefusal = (value: unknown, ancestors: readonly Error[]) => string | undefined

/** Longer chains of causes are cut. */
const MAX_DEPTH = 32

type CreateError = (message: string, options: ErrorOptions | undefined) => Error

const BUILT_IN: ReadonlyMap<string, CreateError> = new Map<string, CreateError>([
  ...[Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map(
    (Class): [string, CreateError] => [Class.name, (message, options) => new Class(message, options)],
  ),
  ['AggregateError', (message, options) => new AggregateError([], message, options)],
])

export function isError(value: object): value is Error {
  return value instanceof Error || types.isNativeError(value)
}

export function toErrorFields(error: Error, above: readonly Error[], explain: ExplainRefusal): ErrorFields {
  const ancestors = [...above, error]
  const toPart = (value: unknown): ErrorPart => toErrorPart(value, ancestors, explain)
  const errors = 'errors' in error && className(error) === 'AggregateError' ? error.errors : undefined
  return {
    class: className(error),
    name: readText(error, 'name'),
    message: readText(error, 'message'),
    stack: typeof error.stack === 'string' ? error.stack : undefined,
    cause: Object.hasOwn(error, 'cause') ? toPart(error.cause) : undefined,
    errors: Array.isArray(errors) ? errors.map(toPart) : undefined,
    ...ownFields(error, ancestors, explain),
  }
}

/** User code may have put anything there. */
function readText(error: Error, key: 'name' | 'message'): string {
  const value: unknown = Reflect.get(error, key)
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

function toErrorPart(value: unknown, ancestors: readonly Error[], explain: ExplainRefusal): ErrorPart {
  if (typeof value === 'object' && value !== null && isError(value)) {
    if (ancestors.includes(value)) return { value: '[circular]' }
    if (ancestors.length >= MAX_DEPTH) return { value: '[not sent: the chain of causes is too long]' }
    return { error: toErrorFields(value, ancestors, explain) }
  }
  const refusal = explain(value, ancestors)
  return { value: refusal === undefined ? value : `[not sent: ${refusal}]` }
}

function ownFields(
  error: Error,
  ancestors: readonly Error[],
  explain: ExplainRefusal,
): Pick<ErrorFields, 'fields' | 'notSent'> {
  const fields: Record<string, unknown> = {}
  const notSent: string[] = []
  for (const key of Object.keys(error)) {
    if (key === 'message' || key === 'stack' || key === 'cause' || key === '__proto__') continue
    const value: unknown = Reflect.get(error, key)
    const refusal = explain(value, ancestors)
    if (refusal === undefined) fields[key] = value
    else notSent.push(`${key}: ${refusal}`)
  }
  return { fields, notSent }
}

/** Node's own errors are of hidden classes that extend the built-in one they are named after. */
function className(error: Error): string {
  const name = error.constructor?.name
  if (types.isNativeError(error) && name === 'NodeError' && BUILT_IN.has(error.name)) return error.name
  if (error instanceof DOMException) return 'DOMException'
  return typeof name === 'string' && name !== '' ? name : 'Error'
}

export function reviveError(fields: ErrorFields): Error {
  const error = createError(fields)
  hide(error, 'stack', fields.stack ?? `${fields.name}: ${fields.message}`)
  if (fields.errors !== undefined) hide(error, 'errors', fields.errors.map(revivePart))
  Object.assign(error, fields.fields)
  if (fields.notSent.length > 0) Object.assign(error, { notSent: fields.notSent })
  return error
}

function createError(fields: ErrorFields): Error {
  if (fields.class === 'DOMException') return new DOMException(fields.message, fields.name)
  const options = fields.cause === undefined ? undefined : { cause: revivePart(fields.cause) }
  const create = BUILT_IN.get(fields.class)
  const error = create?.(fields.message, options) ?? new RemoteError(fields.message, fields.class, options)
  if (error.name !== fields.name) hide(error, 'name', fields.name)
  return error
}

function revivePart(part: ErrorPart): unknown {
  return 'error' in part ? reviveError(part.error) : part.value
}

function hide(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, configurable: true, writable: true, enumerable: false })
}

/** Checks what came over the wire. */
export function parseErrorFields(data: unknown): ErrorFields {
  const raw = toRecord(data)
  return {
    class: String(raw['class']),
    name: String(raw['name']),
    message: String(raw['message']),
    stack: typeof raw['stack'] === 'string' ? raw['stack'] : undefined,
    cause: raw['cause'] === undefined ? undefined : parsePart(raw['cause']),
    errors: Array.isArray(raw['errors']) ? raw['errors'].map(parsePart) : undefined,
    fields: toRecord(raw['fields']),
    notSent: Array.isArray(raw['notSent']) ? raw['notSent'].map(String) : [],
  }
}

function parsePart(data: unknown): ErrorPart {
  const raw = toRecord(data)
  return 'error' in raw ? { error: parseErrorFields(raw['error']) } : { value: raw['value'] }
}

function toRecord(data: unknown): Readonly<Record<string, unknown>> {
  if (typeof data !== 'object' || data === null) throw new Error('an error without its fields')
  return Object.fromEntries(Object.entries(data))
}
