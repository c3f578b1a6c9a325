import { createHash } from 'node:crypto'

import type { WireValue } from './values.ts'

/** A value that is sent to each worker once, however many calls hold it. */
export interface SharedValue {
  /** Names it on the other side: equal values have equal names. */
  readonly key: string
  readonly value: WireValue
}

const sharedByObject = new WeakMap<object, SharedValue>()
let hasShared = false

/** Remembers that this object is sent once; `value` is what it was encoded to. */
export function rememberShared(object: object, value: WireValue): void {
  const hash = createHash('sha256').update(`${value.format}\0${value.text.length}\0${value.text}`)
  for (const part of value.parts) hash.update(`\0${part.byteLength}\0`).update(part)
  sharedByObject.set(object, { key: hash.digest('hex'), value })
  hasShared = true
}

/** `undefined` for ordinary objects; costs next to nothing in programs that share none. */
export function findShared(object: object): SharedValue | undefined {
  return hasShared ? sharedByObject.get(object) : undefined
}
