import { types } from 'node:util'

import { toApart, toAsyncIterable } from './apart.ts'
import { copyBytes } from './copy-bytes.ts'
import { LEFT_OUT } from './codes.ts'
import { isError } from './error-class.ts'
import { writeArray, writeMap, writeNullObject, writeObject, writeSet } from './members.ts'
import { fieldsOf, fieldsOfArray } from './own-fields.ts'
import type { Place } from './place.ts'
import { quote } from './quote.ts'
import { refused, toText } from './shape.ts'
import type { MembersShape, Shape, TextShape } from './shape.ts'
import { findShared } from './shared.ts'
import { SHARED_MEMORY, explainUnsendable, isAsyncIterable } from './unsendable.ts'
import type { Writer } from './writer.ts'

const OBJECT: Shape = { kind: 'members', write: writeObject }
const NULL_OBJECT: Shape = { kind: 'members', write: writeNullObject }
const ERROR: Shape = { kind: 'error' }

/** May throw, by code of the object: only what is asked of the engine itself does not run any. */
export function toShape(writer: Writer, place: Place): Shape {
  const { object } = place
  const shared = writer.around.shared === undefined ? undefined : findShared(object)
  if (shared !== undefined) {
    writer.around.shared?.push(shared)
    return toText('Shared', quote(shared.key))
  }
  if (Array.isArray(object)) return toArrayShape(object)
  const prototype: unknown = Object.getPrototypeOf(object)
  if (prototype === Object.prototype || prototype === null) return toPlainShape(writer, place)
  if (isError(object)) return ERROR
  return toBuiltIn(writer, place) ?? toApart(writer, place) ?? toForeignPlain(object) ?? refuse(object)
}

function refuse(object: object): Shape {
  return refused(explainUnsendable(object))
}

/** An instance of the built-in class itself, of whatever realm: `levels` above it there is nothing more. */
function isOwnInstance(object: object, levels: number): boolean {
  let at: unknown = object
  for (let level = 0; level <= levels; level += 1) {
    if (typeof at !== 'object' || at === null) return false
    at = Object.getPrototypeOf(at)
  }
  return at === null
}

function toArrayShape(array: readonly unknown[]): Shape {
  if (Object.getPrototypeOf(array) !== Array.prototype && !isOwnInstance(array, 2)) return refuse(array)
  if (hasSymbols(array)) return refused('an array with symbol keys')
  const fields = fieldsOfArray(array)
  return { kind: 'members', write: writeArray, fields }
}

function hasSymbols(object: object): boolean {
  const symbols = Object.getOwnPropertySymbols(object)
  return symbols.some((symbol) => Object.prototype.propertyIsEnumerable.call(object, symbol))
}

function toPlainShape(writer: Writer, place: Place): Shape {
  const { object } = place
  if (Object.hasOwn(object, '__proto__')) return refused('an object with a "__proto__" key')
  if (hasSymbols(object)) {
    return isAsyncIterable(object) ? toAsyncIterable(writer, place, object) : refused('an object with symbol keys')
  }
  return Object.getPrototypeOf(object) === null ? NULL_OBJECT : OBJECT
}

/** A plain object of another realm. */
function toForeignPlain(object: object): Shape | undefined {
  const prototype: unknown = Object.getPrototypeOf(object)
  const isPlain = isOwnInstance(object, 1) && Object.hasOwn(Object(prototype), 'hasOwnProperty')
  return isPlain && !hasSymbols(object) ? OBJECT : undefined
}

function toBuiltIn(writer: Writer, place: Place): Shape | undefined {
  const { object } = place
  if (ArrayBuffer.isView(object)) return toView(writer, place, object)
  const written = writeBuiltIn(writer, place)
  if (written === undefined) return undefined
  if (!isOwnInstance(object, 2)) return refuse(object)
  return { ...written, fields: fieldsOf(object) }
}

/** Of the built-in classes right below Object. */
function writeBuiltIn(writer: Writer, place: Place): TextShape | MembersShape | undefined {
  const { object } = place
  if (types.isMap(object)) return { kind: 'members', write: writeMap }
  if (types.isSet(object)) return { kind: 'members', write: writeSet }
  if (types.isDate(object)) return { kind: 'text', text: `["Date","${toIsoText(object)}"]` }
  if (types.isRegExp(object)) {
    return { kind: 'text', text: `["RegExp",${quote(object.source)},${quote(object.flags)}]` }
  }
  if (types.isArrayBuffer(object)) {
    return writeBuffer(writer, place, object)
  }
  if (types.isBoxedPrimitive(object) && !types.isSymbolObject(object)) {
    return { kind: 'text', text: `["Object",${writer.add(object.valueOf(), place, '')}]` }
  }
  const tag = Object.prototype.toString.call(object).slice('[object '.length, -1)
  if (!TEXT_TAGS.has(tag) && !tag.startsWith('Temporal.')) return undefined
  const text: unknown = Reflect.apply(Reflect.get(object, 'toString'), object, [])
  return { kind: 'text', text: `[${quote(tag)},${quote(String(text))}]` }
}

function writeBuffer(writer: Writer, place: Place, buffer: ArrayBuffer): TextShape {
  const part = writer.addPart(copyBytes(new Uint8Array(buffer)), place, '')
  return part === LEFT_OUT ? toText('null') : toText('ArrayBuffer', part)
}

/** A view that is not the whole of its buffer is sent without the rest of it. */
function toView(writer: Writer, place: Place, view: ArrayBufferView): Shape {
  const { buffer, byteOffset, byteLength } = view
  if (types.isSharedArrayBuffer(buffer)) return refused(`a view of ${SHARED_MEMORY}`)
  const isBuffer = Object.getPrototypeOf(view) === Buffer.prototype
  if (!isBuffer && !isOwnInstance(view, ArrayBuffer.isView(view) && types.isDataView(view) ? 2 : 3)) return refuse(view)
  const tag = Object.prototype.toString.call(view).slice('[object '.length, -1)
  if (!isBuffer && byteLength === buffer.byteLength) return toText(tag, writer.add(buffer, place, 'buffer'))
  const part = writer.addPart(copyBytes(new Uint8Array(buffer, byteOffset, byteLength)), place, '')
  return part === LEFT_OUT ? toText('null') : toText(isBuffer ? 'Buffer' : 'View', isBuffer ? part : `${part},"${tag}"`)
}

const TEXT_TAGS: ReadonlySet<string> = new Set(['URL', 'URLSearchParams'])

function toIsoText(date: Date): string {
  return Number.isNaN(Date.prototype.getTime.call(date)) ? '' : Date.prototype.toISOString.call(date)
}
