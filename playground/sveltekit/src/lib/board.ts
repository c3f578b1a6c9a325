/** The smallest and the largest board that the page offers. */
export const SIZES = { min: 4, max: 13 } as const

export function isSize(size: number): boolean {
  return Number.isInteger(size) && size >= SIZES.min && size <= SIZES.max
}
