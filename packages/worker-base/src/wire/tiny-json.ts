import { findShared } from './shared.ts'

/** Values with more parts than this take the general way; finding out costs about as much as it saves from here on. */
const MAX_NODES = 64

/**
 * Whether JSON carries this value unchanged: plain data without `undefined`, `-0`, holes, repeated references.
 * Such values are most of the tiny calls, and JSON is several times as fast as the general codec.
 */
export function isTinyJson(value: unknown): boolean {
  return visit(value, { nodes: 0, seen: [] })
}

interface Walk {
  nodes: number
  readonly seen: object[]
}

function visit(value: unknown, walk: Walk): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value) && (value !== 0 || 1 / value > 0)
    case 'object':
      return value === null || visitObject(value, walk)
    default:
      return false
  }
}

function visitObject(value: object, walk: Walk): boolean {
  if (findShared(value) !== undefined) return false
  if (walk.seen.includes(value)) return false
  walk.seen.push(value)
  if (Array.isArray(value)) return visitArray(value, walk)
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  if (Object.getOwnPropertySymbols(value).length > 0) return false
  for (const [key, member] of Object.entries(value)) {
    walk.nodes += 1
    if (walk.nodes > MAX_NODES || key === '__proto__' || !visit(member, walk)) return false
  }
  return true
}

function visitArray(value: readonly unknown[], walk: Walk): boolean {
  walk.nodes += value.length
  if (walk.nodes > MAX_NODES || 'toJSON' in value) return false
  for (const member of value) if (!visit(member, walk)) return false
  return true
}
