// Which calls have begun, in memory that all threads of a worker see: the talking thread knows at any moment whether
// a call that it handed out has begun, and can take back one that has not.

const SLOT_BITS = 12
const SLOTS = 1 << SLOT_BITS
const FREE = 0
const STARTED = -1
/** Ids are positive 31-bit numbers: a slot in the low bits, and above it how often that slot has been used. */
const MAX_GENERATION = (1 << (31 - SLOT_BITS)) - 1

/** One number for each slot: the id of a call that is handed out, or STARTED. */
export type Claims = Int32Array

export function createClaims(): Claims {
  return new Int32Array(new SharedArrayBuffer(SLOTS * Int32Array.BYTES_PER_ELEMENT))
}

/** An executor wants to begin a call. False: it was taken back; drop it. */
export function claimCall(claims: Claims, id: number): boolean {
  return Atomics.compareExchange(claims, toSlot(id), id, STARTED) === id
}

/** The talking thread takes a call back. False: it has begun. */
export function revokeCall(claims: Claims, id: number): boolean {
  return Atomics.compareExchange(claims, toSlot(id), id, FREE) === id
}

export function hasStarted(claims: Claims, id: number): boolean {
  return Atomics.load(claims, toSlot(id)) === STARTED
}

/** Ids for calls in flight. An id comes again only after its slot was used half a million times. */
export interface CallIds {
  /** `undefined` when too many calls are in flight. */
  take(): number | undefined
  /** Hands a call out: from now on it can be claimed. */
  offer(id: number): void
  release(id: number): void
}

export function createCallIds(claims: Claims): CallIds {
  const free = Array.from({ length: SLOTS }, (_, index) => SLOTS - 1 - index)
  const generations = new Uint32Array(SLOTS)
  return {
    take() {
      const slot = free.pop()
      if (slot === undefined) return undefined
      const generation = ((generations[slot] ?? 0) % MAX_GENERATION) + 1
      generations[slot] = generation
      return (generation << SLOT_BITS) | slot
    },
    offer: (id) => void Atomics.store(claims, toSlot(id), id),
    release(id) {
      Atomics.store(claims, toSlot(id), FREE)
      free.push(toSlot(id))
    },
  }
}

function toSlot(id: number): number {
  return id & (SLOTS - 1)
}
