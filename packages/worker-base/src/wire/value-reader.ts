import { makeBuiltIn } from './built-ins.ts'
import type { Received } from './built-ins.ts'
import { HOLE, NAN, NEGATIVE_INFINITY, NEGATIVE_ZERO, POSITIVE_INFINITY, SPARSE, UNDEFINED } from './codes.ts'
import { createError } from './error-class.ts'

const CONSTANTS: ReadonlyMap<unknown, unknown> = new Map([
  [UNDEFINED, undefined],
  [NAN, Number.NaN],
  [POSITIVE_INFINITY, Infinity],
  [NEGATIVE_INFINITY, -Infinity],
  [NEGATIVE_ZERO, -0],
])
const NOT_MADE: unique symbol = Symbol('not made')
const MAX_LENGTH = 2 ** 32 - 1

/**
 * Makes the value of which `ValueWriter` made a text, or `stringify` of devalue.
 * @throws Error where it is no such text
 */
export function readValue(text: string, received: Received): unknown {
  const parsed: unknown = JSON.parse(text)
  if (Array.isArray(parsed)) return new ValueReader(parsed, received).read()
  if (!CONSTANTS.has(parsed)) throw new Error('it is neither a list nor a number')
  return CONSTANTS.get(parsed)
}

/** Objects are made empty and filled one after the other: neither cycles nor depth cost anything. */
class ValueReader {
  readonly #values: readonly unknown[]
  readonly #received: Received
  readonly #made: unknown[]
  readonly #jobs: (() => void)[] = []

  constructor(values: readonly unknown[], received: Received) {
    this.#values = values
    this.#received = received
    this.#made = values.map(() => NOT_MADE)
  }

  read(): unknown {
    const value = this.#at(0)
    for (let fill = this.#jobs.pop(); fill !== undefined; fill = this.#jobs.pop()) fill()
    return value
  }

  /** What has this number. */
  #at(reference: unknown): unknown {
    if (CONSTANTS.has(reference)) return CONSTANTS.get(reference)
    if (typeof reference !== 'number' || !(reference in this.#made))
      throw new Error(`nothing has the number ${String(reference)}`)
    const made = this.#made[reference]
    if (made !== NOT_MADE) return made
    const object = this.#make(this.#values[reference])
    this.#made[reference] = object
    return object
  }

  #make(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value
    if (!Array.isArray(value)) return this.#later({}, (object) => this.#fillObject(object, value))
    if (typeof value[0] === 'string') return this.#toTagged(value)
    if (value[0] === SPARSE) return this.#later(createSparse(value[1]), (array) => this.#fillSparse(array, value))
    return this.#later([], (array: unknown[]) => this.#fill(array, value))
  }

  #fillObject(object: Record<string, unknown>, fields: object): void {
    for (const [key, field] of Object.entries(fields)) {
      if (key === '__proto__') throw new Error('an object with a "__proto__" key')
      object[key] = this.#at(field)
    }
  }

  #fill(array: unknown[], items: readonly unknown[]): void {
    for (const item of items) {
      if (item === HOLE) array.length += 1
      else array.push(this.#at(item))
    }
  }

  #fillSparse(array: unknown[], items: readonly unknown[]): void {
    for (let at = 2; at < items.length; at += 2) {
      const index: unknown = items[at]
      if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= array.length) {
        throw new Error('an item outside of its array')
      }
      array[index] = this.#at(items[at + 1])
    }
  }

  #toTagged(data: readonly unknown[]): unknown {
    switch (data[0]) {
      case 'Map':
        return this.#later(new Map<unknown, unknown>(), (map) => {
          for (let at = 1; at < data.length; at += 2) map.set(this.#at(data[at]), this.#at(data[at + 1]))
        })
      case 'Set':
        return this.#later(new Set<unknown>(), (set) => {
          for (let at = 1; at < data.length; at += 1) set.add(this.#at(data[at]))
        })
      case 'null':
        return this.#later(Object.create(null), (object) => this.#addFields(object, data.slice(1), true))
      case 'Error':
        return this.#toError(data)
      case 'Fields':
        return this.#withFields(data)
      case 'Noted':
        return this.#withNotes(data)
      case 'Object':
        return Object(this.#simple(data[1], ['BigInt']))
      default:
        return makeBuiltIn(data, this.#received, (reference) => this.#simple(reference, ['ArrayBuffer']))
    }
  }

  /** Made now, filled when it is its turn. */
  #later<Made extends object>(made: Made, fill: (made: Made) => void): Made {
    this.#jobs.push(() => fill(made))
    return made
  }

  /** What holds nothing else, so that no text can make this go round in circles. */
  #simple(reference: unknown, tags: readonly string[]): unknown {
    const value = typeof reference === 'number' ? this.#values[reference] : undefined
    const isKnown = Array.isArray(value) ? tags.includes(value[0]) : typeof value !== 'object' || value === null
    if (!isKnown) throw new Error('an object in place of what it is made of')
    return this.#at(reference)
  }

  /** An array, a date, a map … that has fields besides. */
  #withFields([, base, shown, hidden]: readonly unknown[]): object {
    const value = typeof base === 'number' ? this.#values[base] : undefined
    if (Array.isArray(value) && value[0] === 'Fields') throw new Error('fields of fields')
    const object = this.#at(base)
    if (typeof object !== 'object' || object === null) throw new Error('fields of no object')
    return this.#later(object, () => {
      this.#addFields(object, shown, true)
      this.#addFields(object, hidden, false)
    })
  }

  /** What was thrown, without what could not be sent of it. */
  #withNotes([, reference, notes]: readonly unknown[]): unknown {
    const value = typeof reference === 'number' ? this.#values[reference] : undefined
    if (Array.isArray(value) && value[0] === 'Noted') throw new Error('notes of notes')
    if (Array.isArray(notes) && notes.length > 0) this.#jobs.push(() => noteMissing(this.#at(reference), notes))
    return this.#at(reference)
  }

  #toError([, builtIn, className, name, message, stack, shown, hidden, notSent]: readonly unknown[]): Error {
    if (typeof name !== 'string' || typeof message !== 'string') throw new Error('an error without name and message')
    const error = createError({ builtIn: String(builtIn), name: String(className) }, message, name)
    if (error.name !== name) define(error, 'name', name, false)
    // To define it anew would make it first, by a function that the user may have for that.
    Reflect.deleteProperty(error, 'stack')
    define(error, 'stack', stack, false)
    return this.#later(error, () => {
      this.#addFields(error, shown, true)
      this.#addFields(error, hidden, false)
      if (Array.isArray(notSent) && notSent.length > 0) noteMissing(error, notSent)
    })
  }

  /** @param list keys, each followed by the number of its value */
  #addFields(object: object, list: unknown, isShown: boolean): void {
    if (!Array.isArray(list)) throw new Error('fields that are no list')
    for (let at = 0; at < list.length; at += 2) {
      const key: unknown = list[at]
      if (typeof key !== 'string') throw new Error('a field without a name')
      define(object, key, this.#at(list[at + 1]), isShown)
    }
  }
}

/** As a field of its own, whatever the class has under this name. */
function define(object: object, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(object, key, { value, enumerable, configurable: true, writable: true })
}

/** An error that travels further keeps what it was left without before. */
function noteMissing(error: unknown, notes: readonly unknown[]): void {
  if (typeof error !== 'object' || error === null) return
  const before: unknown = 'notSent' in error ? error.notSent : []
  define(error, 'notSent', [...(Array.isArray(before) ? before : []), ...notes.map(String)], true)
}

/** Setting a length that came from outside may take memory for it; an array with so high an index is a table. */
function createSparse(length: unknown): unknown[] {
  if (typeof length !== 'number' || !Number.isInteger(length) || length < 0 || length > MAX_LENGTH) {
    throw new Error('an array of no length')
  }
  const array: unknown[] = []
  array[MAX_LENGTH - 1] = undefined
  Reflect.deleteProperty(array, MAX_LENGTH - 1)
  array.length = length
  return array
}
