import { LEFT_OUT, NAN, NEGATIVE_INFINITY, NEGATIVE_ZERO, POSITIVE_INFINITY, UNDEFINED } from './codes.ts'
import { ERROR_BYTES, writeError } from './error-writer.ts'
import { MOST_PARTS } from './frame.ts'
import { writeFields } from './members.ts'
import { Notes, pathTo } from './place.ts'
import type { Place, Step } from './place.ts'
import { bigIntToText, quote, quoteAny } from './quote.ts'
import type { OwnFields } from './own-fields.ts'
import type { MembersShape, Shape, TextShape } from './shape.ts'
import { toShape } from './shapes.ts'
import type { Surroundings, WriteMembers, Writer } from './writer.ts'
import {
  MAX_DEPTH,
  MAX_OBJECTS,
  MAX_VALUE_BYTES,
  Refusal,
  THROWS,
  TOO_DEEP,
  TOO_LARGE,
  UnsendableValueError,
  ValueTooLargeError,
} from './unsendable.ts'

/** Shorter texts are repeated rather than looked up. */
const SHORT_UNITS = 16

interface Job {
  readonly place: Place
  readonly write: WriteMembers
}

/**
 * Writes a value as text, object by object and not inside of each other, so that depth costs no stack. Everything is
 * read once. What cannot be sent, or throws when it is read, is refused with its path; below an error it is left out
 * and noted instead.
 */
export class ValueWriter implements Writer {
  readonly around: Surroundings
  readonly parts: Uint8Array[] = []
  /** Parts whose bytes take time to read, to be begun when all is written. */
  readonly late: { readonly part: number; readonly read: () => Promise<Uint8Array> }[] = []
  readonly #texts: string[] = []
  readonly #indexes: Map<unknown, number> = new Map()
  /** What may not be left out is written first: an object that is also part of an error is refused all the same. */
  readonly #jobs: Job[] = []
  readonly #lenientJobs: Job[] = []
  readonly #endings: (() => void)[] = []
  /** Bytes at least, and exactly where nothing but an error is written. */
  #size = 0

  constructor(around: Surroundings) {
    this.around = around
  }

  /** @throws UnsendableValueError, ValueTooLargeError */
  write(value: unknown): string {
    const reference = this.add(value, this.#toRoot(undefined), '')
    this.#finish()
    return reference < 0 ? `${reference}` : this.#toText()
  }

  /** Never throws: what cannot be sent is left out and noted. `undefined` where this is all of it. */
  writeThrown(value: unknown, notes: Notes): string | undefined {
    const index = this.reserve()
    const reference = this.add(value, this.#toRoot(notes), '')
    this.#finish()
    this.#texts[index] = `["Noted",${reference},[${notes.lines.map(quote).join(',')}]]`
    return reference === LEFT_OUT ? undefined : this.#toText()
  }

  /** The number of a part of a value, negative for what has one of its own, or LEFT_OUT. */
  add(value: unknown, parent: Place, step: Step): number {
    switch (typeof value) {
      case 'undefined':
        return UNDEFINED
      case 'number':
        return this.#addNumber(value, parent, step)
      case 'string':
        return this.#addString(value, parent, step)
      case 'boolean':
        return this.#addText(`${value}`, parent, step)
      case 'bigint':
        return this.#addText(bigIntToText(value), parent, step)
      case 'object':
        return value === null ? this.#addText('null', parent, step) : this.#addObject(value, parent, step)
      default:
        return this.leaveOut(parent, step, `a ${typeof value}`)
    }
  }

  /** The same of a field, which may be a getter. */
  addField(place: Place, key: string): number {
    let value: unknown
    try {
      value = Reflect.get(place.object, key)
    } catch (cause) {
      return this.leaveOut(place, key, THROWS, cause)
    }
    return this.add(value, place, key)
  }

  /** Bytes beside the text. */
  addPart(bytes: Uint8Array, parent: Place, step: Step): number {
    const { byteLength } = bytes
    if (this.isFull(byteLength)) return this.leaveOutLarge(parent, step, byteLength)
    if (this.parts.length === MOST_PARTS) {
      if (parent.notes === undefined) throw new ValueTooLargeError(MOST_PARTS + 1, 'binary parts')
      return this.leaveOut(parent, step, TOO_LARGE)
    }
    this.#size += byteLength
    return this.parts.push(bytes) - 1
  }

  /** Refuses what cannot be sent, or notes it where something may be missing. */
  leaveOut(parent: Place, step: Step, reason: string, cause?: unknown): number {
    if (parent.notes === undefined) {
      const options = cause === undefined ? undefined : { cause }
      throw new UnsendableValueError(this.around.toPath(pathTo(parent, step)), reason, options)
    }
    parent.notes.add(parent, step, reason)
    return LEFT_OUT
  }

  leaveOutLarge(parent: Place, step: Step, bytes: number): number {
    if (parent.notes === undefined) throw new ValueTooLargeError(this.#size + bytes)
    return this.leaveOut(parent, step, TOO_LARGE)
  }

  /** Makes a text, to be set later. */
  reserve(text = 'null'): number {
    return this.#texts.push(text) - 1
  }

  set(index: number, text: string): void {
    this.#texts[index] = text
  }

  /** Called when everything is written. */
  onEnd(end: () => void): void {
    this.#endings.push(end)
  }

  /** Whether so many bytes more are too many. */
  isFull(bytes: number): boolean {
    return this.#size + bytes > MAX_VALUE_BYTES
  }

  /** Takes room, or gives it back. */
  take(bytes: number): void {
    this.#size += bytes
  }

  #toRoot(notes: Notes | undefined): Place {
    return { object: this, index: -1, depth: 0, parent: undefined, step: '', notes }
  }

  #finish(): void {
    for (let job = this.#next(); job !== undefined; job = this.#next()) this.#put(job.place, this.#attempt(job))
    for (const end of this.#endings) end()
  }

  #toText(): string {
    return `[${this.#texts.join(',')}]`
  }

  #next(): Job | undefined {
    return this.#jobs.pop() ?? this.#lenientJobs.pop()
  }

  #attempt({ place, write }: Job): string {
    try {
      return write(this, place)
    } catch (error) {
      if (Refusal.is(error)) throw error
      this.leaveOut(place, '', THROWS, error)
      return '{}'
    }
  }

  #put({ index }: Place, text: string): void {
    this.#size += text.length
    this.#texts[index] = text
  }

  #addNumber(value: number, parent: Place, step: Step): number {
    if (value === 0 && 1 / value < 0) return NEGATIVE_ZERO
    if (Number.isFinite(value)) return this.#addText(`${value}`, parent, step)
    return Number.isNaN(value) ? NAN : value > 0 ? POSITIVE_INFINITY : NEGATIVE_INFINITY
  }

  #addString(value: string, parent: Place, step: Step): number {
    if (value.length <= SHORT_UNITS) return this.#addText(quoteAny(value), parent, step)
    const known = this.#indexes.get(value)
    if (known !== undefined) return known
    if (this.isFull(value.length)) return this.leaveOutLarge(parent, step, value.length)
    const index = this.#addText(quoteAny(value), parent, step)
    if (index !== LEFT_OUT && this.#indexes.size < MAX_OBJECTS) this.#indexes.set(value, index)
    return index
  }

  #addText(text: string | undefined, parent: Place, step: Step): number {
    if (text === undefined) return this.leaveOutLarge(parent, step, MAX_VALUE_BYTES)
    // Where nothing may be left out the bytes are counted at the end. Units are as many, or fewer.
    const bytes = parent.notes === undefined ? text.length : Buffer.byteLength(text)
    if (this.isFull(bytes)) return this.leaveOutLarge(parent, step, bytes)
    this.#size += bytes + 1
    return this.#texts.push(text) - 1
  }

  #addObject(object: object, parent: Place, step: Step): number {
    const known = this.#indexes.get(object)
    if (known !== undefined) return known
    const depth = parent.depth + 1
    if (depth > MAX_DEPTH) return this.leaveOut(parent, step, TOO_DEEP)
    if (this.#indexes.size >= MAX_OBJECTS) return this.leaveOut(parent, step, `one of more than ${MAX_OBJECTS} objects`)
    const place: Place = { object, index: this.reserve(), depth, parent, step, notes: parent.notes }
    this.#indexes.set(object, place.index)
    const shape = this.#toShape(place)
    if (shape.kind === 'refused') {
      this.#indexes.delete(object)
      return this.leaveOut(parent, step, shape.reason, shape.cause)
    }
    if (shape.kind === 'error') return this.#addError(place)
    this.#add(shape.fields === undefined ? place : this.#addFields(place, shape.fields), shape)
    return place.index
  }

  #toShape(place: Place): Shape {
    try {
      return toShape(this, place)
    } catch (cause) {
      if (Refusal.is(cause)) throw cause
      return { kind: 'refused', reason: THROWS, cause }
    }
  }

  #add(place: Place, shape: TextShape | MembersShape): void {
    if (shape.kind === 'text') this.#put(place, shape.text)
    else (place.notes === undefined ? this.#jobs : this.#lenientJobs).push({ place, write: shape.write })
  }

  /** Fields beside what the object is; returns the place of the object without them. */
  #addFields(place: Place, fields: OwnFields): Place {
    const bare = { ...place, index: this.reserve() }
    this.#add(place, { kind: 'members', write: (writer) => writeFields(writer, place, { base: bare.index, fields }) })
    return bare
  }

  #addError(place: Place): number {
    if (this.isFull(ERROR_BYTES)) {
      this.#indexes.delete(place.object)
      return this.leaveOutLarge(place.parent ?? place, place.step, ERROR_BYTES)
    }
    this.#size += ERROR_BYTES
    const notes = new Notes()
    const own: Place = { ...place, notes }
    notes.place = own
    this.#lenientJobs.push({ place: own, write: writeError })
    return place.index
  }
}
