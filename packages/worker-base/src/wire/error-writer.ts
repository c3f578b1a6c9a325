import { classOfError } from './error-class.ts'
import { writeKeys } from './members.ts'
import type { Notes, Place } from './place.ts'
import { quote } from './quote.ts'
import { THROWS, TOO_LARGE } from './unsendable.ts'
import type { Writer } from './writer.ts'

/** Room that every error has, for what it is called and the beginning of its message. */
export const ERROR_BYTES = 900
const MIN_MESSAGE_UNITS = 64
const MIN_NAME_UNITS = 16
/** Longer names, messages and stacks are cut. */
const MAX_NAME_UNITS = 256
const MAX_TEXT_UNITS = 1024 * 1024

/** These are written apart. */
const APART: ReadonlySet<string> = new Set(['message', 'stack', 'name'])

interface ErrorTexts {
  readonly class: string
  readonly name: string
  readonly message: string
  readonly stack: string
}

/**
 * Writes an error: its class, name, message and stack, and its fields as parts of the value, causes among them. Never
 * fails. What cannot be sent is left out and named in `notSent` over there.
 */
export function writeError(writer: Writer, place: Place): string {
  const error = place.object as Error
  const { notes } = place
  writer.take(-ERROR_BYTES)
  const head = toHead(writer, error, notes)
  writer.take(Buffer.byteLength(head))
  const { shown, hidden } = keysOf(error, notes)
  const fields = `${writeKeys(writer, place, shown)},${writeKeys(writer, place, hidden)}`
  writer.onEnd(() => writer.set(place.index, `${head},${fields},[${(notes?.lines ?? []).map(quote).join(',')}]]`))
  // Counted by who asked; set at the end, when all notes are there.
  return fields
}

function toHead(writer: Writer, error: Error, notes: Notes | undefined): string {
  const { builtIn, name: className } = classOfError(error)
  const name = readText(error, 'name', notes) ?? className
  const message = readText(error, 'message', notes) ?? ''
  const stack = cut(readText(error, 'stack', notes) ?? `${name}: ${message}`, MAX_TEXT_UNITS)
  const whole = toText(builtIn, {
    class: className,
    name: cut(name, MAX_NAME_UNITS),
    message: cut(message, MAX_TEXT_UNITS),
    stack: writer.around.mapStack?.(stack) ?? stack,
  })
  if (!writer.isFull(Buffer.byteLength(whole))) return whole
  notes?.add(undefined, 'stack', TOO_LARGE)
  const short = cut(name, MIN_NAME_UNITS)
  return toText(builtIn, { class: short, name: short, message: cut(message, MIN_MESSAGE_UNITS), stack: short })
}

function toText(builtIn: string, { class: className, name, message, stack }: ErrorTexts): string {
  return `["Error",${quote(builtIn)},${quote(className)},${quote(name)},${quote(message)},${quote(stack)}`
}

/** User code may have put anything there. */
function readText(error: Error, key: 'name' | 'message' | 'stack', notes: Notes | undefined): string | undefined {
  try {
    const value: unknown = Reflect.get(error, key)
    if (typeof value === 'string') return value
    if (typeof value === 'number') return `${value}`
    if (value !== undefined) notes?.add(undefined, key, 'no text')
  } catch {
    notes?.add(undefined, key, THROWS)
  }
  return undefined
}

/** Without its middle, where it is too long: a stack has its frames at the end. */
function cut(text: string, maxUnits: number): string {
  if (text.length <= maxUnits) return text
  const half = maxUnits >> 1
  return `${text.slice(0, half)}… (${text.length - maxUnits} characters left out) …${text.slice(-half)}`
}

/** All its fields: what libraries hide from a loop is data too, as the list of an AggregateError. */
function keysOf(error: Error, notes: Notes | undefined): { readonly shown: string[]; readonly hidden: string[] } {
  const shown: string[] = []
  const hidden: string[] = []
  try {
    for (const key of Reflect.ownKeys(error)) {
      if (typeof key !== 'string') continue
      const isShown = Object.prototype.propertyIsEnumerable.call(error, key)
      if (isShown ? key !== 'message' && key !== 'stack' : !APART.has(key)) (isShown ? shown : hidden).push(key)
    }
  } catch {
    notes?.add(undefined, 'fields', THROWS)
  }
  return { shown, hidden }
}
