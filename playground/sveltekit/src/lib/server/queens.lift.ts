import { isSize } from '$lib/board'

/** How many ways there are to place the other queens when that of the first row stands in `column`. */
export async function countWith(size: number, column: number): Promise<{ solutions: number; worker: number }> {
  if (!isSize(size)) throw new RangeError(`A board of ${size} is not offered.`)
  const bit = 1 << column
  const solutions = place({ full: (1 << size) - 1, columns: bit, left: bit << 1, right: bit >> 1 })
  return { solutions, worker: process.pid }
}

interface Board {
  readonly full: number
  readonly columns: number
  readonly left: number
  readonly right: number
}

function place({ full, columns, left, right }: Board): number {
  if (columns === full) return 1
  let solutions = 0
  for (let free = full & ~(columns | left | right); free !== 0; free &= free - 1) {
    const bit = free & -free
    solutions += place({ full, columns: columns | bit, left: (left | bit) << 1, right: (right | bit) >> 1 })
  }
  return solutions
}
