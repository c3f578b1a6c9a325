import { UnsendableValueError, ValueTooLargeError, shareValue } from '@turbolift/worker-base/wire'

import { argumentUnsendable, callTooLarge } from './errors.ts'

/**
 * Marks a large object that many calls hold, in their arguments or captures: each worker gets it once, as it is now,
 * instead of once for each call. Workers let go of it some time after the program has. Returns the object itself. In a worker all calls see one object: read it, do not
 * change it.
 * @throws TransferError `ARGUMENT_UNSENDABLE`, `CALL_TOO_LARGE`
 * @example
 * const table = shared(await loadTable())
 * await starmap(lookUp, queries.map((query) => [table, query]))
 */
export function shared<T extends object>(value: T): T {
  try {
    shareValue(value)
    return value
  } catch (error) {
    if (error instanceof UnsendableValueError) throw argumentUnsendable('shared', error)
    throw error instanceof ValueTooLargeError ? callTooLarge('shared', error) : error
  }
}
