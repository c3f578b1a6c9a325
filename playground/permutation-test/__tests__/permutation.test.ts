import { expect, test } from 'vitest'

import { countAllAsExtreme, countAsExtreme, meanDifference } from '../src/permutation.ts'
import { createSplitMix64, createXoshiro128 } from '../src/random.ts'
import { fisher } from '../src/zea-mays.ts'

test('counting all swaps gives what Fisher published', () => {
  expect(countAllAsExtreme()).toEqual(fisher)
  expect(meanDifference * 8 * 15).toBe(314)
})

test('the same block gives the same count, another seed another one', () => {
  const block = { seed: 1n, permutations: 10_000 }
  expect(countAsExtreme(block)).toBe(countAsExtreme(block))
  expect(countAsExtreme({ ...block, seed: 2n })).not.toBe(countAsExtreme(block))
})

test("xoshiro128** gives its authors' sequence", () => {
  const next = createXoshiro128([1, 2, 3, 4])
  const first = Array.from({ length: 8 }, next)
  expect(first).toEqual([11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849])
})

test("SplitMix64 gives its author's sequence", () => {
  const next = createSplitMix64(1234567n)
  expect([next(), next(), next()]).toEqual([6457827717110365317n, 3203168211198807973n, 9817491932198370423n])
})
