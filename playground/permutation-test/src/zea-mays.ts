/** Two maize plants of the same age that grew up side by side in one pot; heights in inches, to the nearest eighth. */
interface Pair {
  readonly pot: 1 | 2 | 3 | 4
  readonly crossed: number
  readonly selfFertilised: number
}

/**
 * Heights of fifteen pairs of maize plants (Zea mays), one of each pair from a crossed flower, one from a
 * self-fertilised flower.
 * Source: Charles Darwin, "The Effects of Cross and Self Fertilisation in the Vegetable Kingdom", London, John
 * Murray, 1876, table XCVII. Public domain.
 */
export const pairs: readonly Pair[] = [
  { pot: 1, crossed: 23.5, selfFertilised: 17.375 },
  { pot: 1, crossed: 12, selfFertilised: 20.375 },
  { pot: 1, crossed: 21, selfFertilised: 20 },
  { pot: 2, crossed: 22, selfFertilised: 20 },
  { pot: 2, crossed: 19.125, selfFertilised: 18.375 },
  { pot: 2, crossed: 21.5, selfFertilised: 18.625 },
  { pot: 3, crossed: 22.125, selfFertilised: 18.625 },
  { pot: 3, crossed: 20.375, selfFertilised: 15.25 },
  { pot: 3, crossed: 18.25, selfFertilised: 16.5 },
  { pot: 3, crossed: 21.625, selfFertilised: 18 },
  { pot: 3, crossed: 23.25, selfFertilised: 16.25 },
  { pot: 4, crossed: 21, selfFertilised: 18 },
  { pot: 4, crossed: 22.125, selfFertilised: 12.75 },
  { pot: 4, crossed: 23, selfFertilised: 15.5 },
  { pot: 4, crossed: 12, selfFertilised: 18 },
]

/** What R. A. Fisher found by counting all 2^15 swaps: "The Design of Experiments", 1935, section 21. */
export const fisher = { asExtreme: 1726, swaps: 32_768 }
