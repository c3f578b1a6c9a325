import { HOLE, LEFT_OUT, SPARSE, UNDEFINED } from './codes.ts'
import { isIndex } from './own-fields.ts'
import type { OwnFields } from './own-fields.ts'
import type { Place } from './place.ts'
import { quote } from './quote.ts'
import type { Writer } from './writer.ts'

/** Puts a text together, as long as there is room for it. */
class MemberText {
  #text: string
  readonly #writer: Writer
  readonly #place: Place

  constructor(start: string, writer: Writer, place: Place) {
    this.#text = start
    this.#writer = writer
    this.#place = place
  }

  /** False when no more may follow. */
  add(text: string): boolean {
    if (this.#writer.isFull(this.#text.length + text.length)) {
      this.#writer.leaveOutLarge(this.#place, '', text.length)
      return false
    }
    this.#text += text
    return true
  }

  end(bracket: string): string {
    return this.#text + bracket
  }
}

export function writeArray(writer: Writer, place: Place): string {
  const array = place.object as readonly unknown[]
  const { length } = array
  const indexes = sparseIndexes(array)
  if (indexes !== undefined) return writeSparse(writer, place, { length, indexes })
  const text = new MemberText('[', writer, place)
  for (let index = 0; index < length; index += 1) {
    const item = Object.hasOwn(array, index) ? writer.add(array[index], place, index) : HOLE
    const written = item === LEFT_OUT ? UNDEFINED : item
    if (!text.add(index === 0 ? `${written}` : `,${written}`)) break
  }
  return text.end(']')
}

/** The items there are, of an array that is mostly holes. */
function sparseIndexes(array: readonly unknown[]): readonly string[] | undefined {
  const { length } = array
  if (
    length < 8 ||
    (Object.hasOwn(array, 0) && Object.hasOwn(array, length >> 1) && Object.hasOwn(array, length - 1))
  ) {
    return undefined
  }
  const indexes = Object.keys(array).filter((key) => isIndex(key))
  return indexes.length * 4 < length ? indexes : undefined
}

function writeSparse(
  writer: Writer,
  place: Place,
  { length, indexes }: { readonly length: number; readonly indexes: readonly string[] },
): string {
  const text = new MemberText(`[${SPARSE},${length}`, writer, place)
  for (const index of indexes) {
    const item = writer.add(Reflect.get(place.object, index), place, Number(index))
    if (item !== LEFT_OUT && !text.add(`,${index},${item}`)) break
  }
  return text.end(']')
}

export function writeObject(writer: Writer, place: Place): string {
  const text = new MemberText('{', writer, place)
  let separator = ''
  for (const key of Object.keys(place.object)) {
    const field = writer.addField(place, key)
    if (field === LEFT_OUT) continue
    if (!text.add(`${separator}${quote(key)}:${field}`)) break
    separator = ','
  }
  return text.end('}')
}

export function writeNullObject(writer: Writer, place: Place): string {
  const text = new MemberText('["null"', writer, place)
  for (const key of Object.keys(place.object)) {
    const field = writer.addField(place, key)
    if (field !== LEFT_OUT && !text.add(`,${quote(key)},${field}`)) break
  }
  return text.end(']')
}

export function writeMap(writer: Writer, place: Place): string {
  const text = new MemberText('["Map"', writer, place)
  for (const [key, value] of Map.prototype.entries.call(place.object)) {
    const step = { key }
    const first = writer.add(key, place, step)
    const second = first === LEFT_OUT ? LEFT_OUT : writer.add(value, place, step)
    if (second !== LEFT_OUT && !text.add(`,${first},${second}`)) break
  }
  return text.end(']')
}

export function writeSet(writer: Writer, place: Place): string {
  const text = new MemberText('["Set"', writer, place)
  for (const value of Set.prototype.values.call(place.object)) {
    const item = writer.add(value, place, '')
    if (item !== LEFT_OUT && !text.add(`,${item}`)) break
  }
  return text.end(']')
}

/** Fields that an array, a date, a map … has besides. */
export function writeFields(
  writer: Writer,
  place: Place,
  { base, fields }: { readonly base: number; readonly fields: OwnFields },
): string {
  return `["Fields",${base},${writeKeys(writer, place, fields.shown)},${writeKeys(writer, place, fields.hidden)}]`
}

/** Keys, each followed by the number of its value. */
export function writeKeys(writer: Writer, place: Place, keys: readonly string[]): string {
  const text = new MemberText('[', writer, place)
  let separator = ''
  for (const key of keys) {
    const field = writer.addField(place, key)
    if (field === LEFT_OUT) continue
    if (!text.add(`${separator}${quote(key)},${field}`)) break
    separator = ','
  }
  return text.end(']')
}
