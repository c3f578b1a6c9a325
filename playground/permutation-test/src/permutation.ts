import { createRandomBits } from './random.ts'
import { pairs } from './zea-mays.ts'

/** A part of the work: so many random permutations, from a sequence of random numbers of its own. */
export interface Block {
  readonly seed: bigint
  readonly permutations: number
}

// In eighths of an inch, so that all sums are exact integers.
const differences = pairs.map(({ crossed, selfFertilised }) => (crossed - selfFertilised) * 8)

/** Mean difference of the two groups, in inches. */
export const meanDifference = sum(differences) / 8 / differences.length

/**
 * If crossing made no difference, each pair could as well have grown the other way round. So we swap the plants of
 * each pair at random and see how often the groups end up at least as far apart as the real ones.
 */
export function countAsExtreme({ seed, permutations }: Block): number {
  const observed = Math.abs(sum(differences))
  const nextBits = createRandomBits(seed)
  let count = 0
  for (let done = 0; done < permutations; done++) {
    // The high bits are the best ones of this generator.
    if (Math.abs(sumAfterSwaps(nextBits() >>> (32 - differences.length))) >= observed) count++
  }
  return count
}

/** Goes through all possible swaps, which so few pairs allow: the answer that sampling must come close to. */
export function countAllAsExtreme(): { readonly asExtreme: number; readonly swaps: number } {
  const observed = Math.abs(sum(differences))
  const swaps = 2 ** differences.length
  let asExtreme = 0
  for (let bits = 0; bits < swaps; bits++) if (Math.abs(sumAfterSwaps(bits)) >= observed) asExtreme++
  return { asExtreme, swaps }
}

/** Bit `i` set: pair `i` is swapped. */
function sumAfterSwaps(bits: number): number {
  let total = 0
  for (let pair = 0; pair < differences.length; pair++) {
    const difference = differences[pair] ?? 0
    total += (bits >>> pair) & 1 ? -difference : difference
  }
  return total
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
