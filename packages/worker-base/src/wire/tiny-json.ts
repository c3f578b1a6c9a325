import { quote } from './quote.ts'
import { findShared } from './shared.ts'

/** Values with more parts than this take the general way; finding out costs about as much as it saves from here on. */
const MAX_NODES = 64
/** Longer texts take the general way, which watches the size. */
const MAX_TEXT_UNITS = 65_536

/**
 * A value as JSON, where JSON carries it unchanged: plain data without `undefined`, `-0`, holes, repeated references,
 * arrays with fields of their own. Such values are most of the tiny calls, and this is several times as fast as the
 * general way. `undefined` for others, also those that throw when they are read. Everything is read once.
 */
export function toTinyJson(value: unknown): string | undefined {
  try {
    return write(value, { nodes: 0, seen: [] })
  } catch {
    return undefined
  }
}

/** The same of a list that the caller has just made: it has nothing but its items. */
export function listToTinyJson(values: readonly unknown[]): string | undefined {
  try {
    return writeItems(values, { nodes: 0, seen: [values] })
  } catch {
    return undefined
  }
}

interface Walk {
  nodes: number
  readonly seen: object[]
}

function write(value: unknown, walk: Walk): string | undefined {
  switch (typeof value) {
    case 'string':
      return value.length > MAX_TEXT_UNITS ? undefined : quote(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'number':
      return Number.isFinite(value) && (value !== 0 || 1 / value > 0) ? `${value}` : undefined
    case 'object':
      return value === null ? 'null' : writeObject(value, walk)
    default:
      return undefined
  }
}

function writeObject(value: object, walk: Walk): string | undefined {
  if (findShared(value) !== undefined || walk.seen.includes(value)) return undefined
  walk.seen.push(value)
  if (Object.getOwnPropertySymbols(value).length > 0) return undefined
  if (Array.isArray(value)) return isBare(value) ? writeItems(value, walk) : undefined
  return Object.getPrototypeOf(value) === Object.prototype ? writeFields(value, walk) : undefined
}

/** Whether an array has its items and nothing else. */
function isBare(array: readonly unknown[]): boolean {
  if (array.length > MAX_NODES || Object.getPrototypeOf(array) !== Array.prototype) return false
  return Object.isExtensible(array) && Object.keys(array).length === array.length
}

function writeItems(items: readonly unknown[], walk: Walk): string | undefined {
  walk.nodes += items.length
  if (walk.nodes > MAX_NODES) return undefined
  let text = '['
  for (let index = 0; index < items.length; index += 1) {
    const item = write(items[index], walk)
    if (item === undefined) return undefined
    text += index === 0 ? item : `,${item}`
  }
  return `${text}]`
}

function writeFields(value: object, walk: Walk): string | undefined {
  const keys = Object.keys(value)
  walk.nodes += keys.length
  if (walk.nodes > MAX_NODES) return undefined
  let text = '{'
  for (const key of keys) {
    const field = key === '__proto__' ? undefined : write(Reflect.get(value, key), walk)
    if (field === undefined) return undefined
    text += text === '{' ? `${quote(key)}:${field}` : `,${quote(key)}:${field}`
  }
  return `${text}}`
}
