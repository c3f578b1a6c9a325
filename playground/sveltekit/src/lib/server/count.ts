import { countWith } from './queens.lift'

export interface Count {
  readonly size: number
  readonly solutions: number
  /** Processes that took part. */
  readonly workers: readonly number[]
}

export async function countSolutions(size: number): Promise<Count> {
  const columns = Array.from({ length: size }, (_, column) => column)
  const parts = await Promise.all(columns.map((column) => countWith(size, column)))
  return {
    size,
    solutions: parts.reduce((sum, { solutions }) => sum + solutions, 0),
    workers: [...new Set(parts.map(({ worker }) => worker))],
  }
}
