/** Random numbers that are the same for the same seed, so that a failure can be run again. */
export interface Random {
  /** From 0 up to, not including, `below`. */
  integer(below: number): number
  bytes(length: number): Buffer
}

/** @see https://en.wikipedia.org/wiki/Xorshift */
export function createRandom(seed: number): Random {
  let state = (seed * 0x9e3779b1) | 1
  const next = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
  const integer = (below: number): number => (below === 0 ? 0 : next() % below)
  return { integer, bytes: (length) => Buffer.from(new Uint8Array(length).map(() => integer(256))) }
}
