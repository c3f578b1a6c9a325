import { decodeValue } from '../wire/values.ts'
import type { WireValue } from '../wire/values.ts'

/** Values that calls share. Each is decoded once; all calls of this executor get the same object. */
export class SharedStore {
  readonly #encoded = new Map<string, WireValue>()
  readonly #decoded = new Map<string, unknown>()

  add(key: string, value: WireValue): void {
    if (!this.#decoded.has(key)) this.#encoded.set(key, value)
  }

  delete(key: string): void {
    this.#encoded.delete(key)
    this.#decoded.delete(key)
  }

  /** @throws Error when it has not arrived */
  get(key: string): unknown {
    if (this.#decoded.has(key)) return this.#decoded.get(key)
    const encoded = this.#encoded.get(key)
    if (encoded === undefined) throw new Error('A shared value has not arrived.')
    const decoded = decodeValue(encoded)
    this.#encoded.delete(key)
    this.#decoded.set(key, decoded)
    return decoded
  }
}
