import { createHash } from 'node:crypto'

import type { WireValue } from './values.ts'

/** A value that is sent to each worker once, however many calls hold it. */
export interface SharedValue {
  /** Names it on the other side: equal values have equal names. */
  readonly key: string
  readonly value: WireValue
}

const sharedByObject = new WeakMap<object, SharedValue>()
/** How many shared values there are with each key. */
const counts = new Map<string, number>()
const listeners = new Set<(key: string) => void>()
/** Hears of values that neither their object nor a call holds any more; there from the first one on. */
let registry: FinalizationRegistry<string> | undefined

/** Remembers that this object is sent once; `value` is what it was encoded to. */
export function rememberShared(object: object, value: WireValue): void {
  const hash = createHash('sha256').update(`${value.format}\0${value.text.length}\0${value.text}`)
  for (const part of value.parts) hash.update(`\0${part.byteLength}\0`).update(part)
  const shared = { key: hash.digest('hex'), value }
  sharedByObject.set(object, shared)
  counts.set(shared.key, (counts.get(shared.key) ?? 0) + 1)
  registry ??= new FinalizationRegistry(onValueGone)
  registry.register(shared, shared.key)
}

function onValueGone(key: string): void {
  const left = (counts.get(key) ?? 1) - 1
  if (left > 0) {
    counts.set(key, left)
    return
  }
  counts.delete(key)
  for (const listener of listeners) listener(key)
}

/** Tells of keys whose values nothing holds any more, until the function that it returns is called. */
export function onSharedGone(listener: (key: string) => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** `undefined` for ordinary objects; costs next to nothing in programs that share none. */
export function findShared(object: object): SharedValue | undefined {
  return registry === undefined ? undefined : sharedByObject.get(object)
}
