import { inspect, types } from 'node:util'

/** Names of the fields that an object has beside what it is by itself. */
export interface OwnFields {
  readonly shown: readonly string[]
  /** Not enumerable. */
  readonly hidden: readonly string[]
}

/** Of longer arrays V8 takes long to list the keys, as texts; `inspect` can leave the items out. */
const SHORT_LENGTH = 32
const NOTHING_BUT_ITEMS = /^(?:\w+\(\d+\) )?\[ \.\.\. \d+ more items? \]$/

/** What travels of an array beside its items: `index` and `groups` of a match, `raw` of a template. */
export function fieldsOfArray(array: readonly unknown[]): OwnFields | undefined {
  const hidden = Object.isFrozen(array) && Array.isArray(Reflect.get(array, 'raw')) ? ['raw'] : []
  const shown = hasOnlyItems(array) ? [] : Object.keys(array).filter((key) => !isIndex(key))
  return shown.length + hidden.length === 0 ? undefined : { shown, hidden }
}

function hasOnlyItems(array: readonly unknown[]): boolean {
  if (array.length <= SHORT_LENGTH) return false
  return NOTHING_BUT_ITEMS.test(inspect(array, { maxArrayLength: 0, depth: 0, customInspect: false }))
}

/** The same of a date, a map and other objects that have no fields by themselves. */
export function fieldsOf(object: object): OwnFields | undefined {
  // The characters of a boxed text are what it is by itself.
  const shown = Object.keys(object).filter((key) => !(types.isStringObject(object) && isIndex(key)))
  return shown.length === 0 ? undefined : { shown, hidden: [] }
}

export function isIndex(key: string): boolean {
  const index = Number(key)
  return Number.isInteger(index) && index >= 0 && index < 2 ** 32 - 1 && String(index) === key
}
