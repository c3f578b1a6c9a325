/** Gives 32 random bits, as an unsigned integer, at each call. */
export type RandomBits = () => number

/**
 * xoshiro128**, version 1.1, by David Blackman and Sebastiano Vigna (public domain).
 * @param state four unsigned 32-bit integers, not all zero
 * @see https://prng.di.unimi.it/xoshiro128starstar.c
 */
export function createXoshiro128([a, b, c, d]: readonly [number, number, number, number]): RandomBits {
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotateLeft(d, 11)
    return result
  }
}

/**
 * Seeds xoshiro128** from one number, by SplitMix64 as its authors advise: close seeds give unlike sequences.
 * @see https://prng.di.unimi.it/splitmix64.c
 */
export function createRandomBits(seed: bigint): RandomBits {
  const next = createSplitMix64(seed)
  const [first, second] = [next(), next()]
  return createXoshiro128([low32(first), low32(first >> 32n), low32(second), low32(second >> 32n)])
}

/** SplitMix64 by Sebastiano Vigna (public domain): a 64-bit unsigned integer at each call. */
export function createSplitMix64(seed: bigint): () => bigint {
  let state = seed
  return () => {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n)
    let z = state
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n)
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn)
    return z ^ (z >> 31n)
  }
}

function rotateLeft(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by))
}

function low32(value: bigint): number {
  return Number(BigInt.asUintN(32, value))
}
