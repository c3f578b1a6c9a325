import type { Contender } from './contenders/contender.ts'

/** One thing to measure: runs once and says how fast it was, in any unit where more is better. */
export interface Measured {
  readonly name: string
  measure(): Promise<number>
}

/**
 * Measures all by turns, so that whatever else slows the machine down hits each of them.
 * The first round warms up and is not counted.
 * @returns the median of each, by name
 */
export async function measureByTurns(contenders: readonly Measured[], rounds: number): Promise<Map<string, number>> {
  const results = new Map<string, number[]>(contenders.map(({ name }) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const contender of contenders) {
      const result = await contender.measure()
      if (round > 0) results.get(contender.name)?.push(result)
    }
  }
  return new Map([...results].map(([name, values]) => [name, median(values)]))
}

/** Keeps `inFlight` calls open until `count` are done. */
export async function runInFlight(count: number, inFlight: number, call: (index: number) => Promise<void>) {
  let next = 0
  const lane = async () => {
    while (next < count) await call(next++)
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
}

/**
 * Calls a second with so many in flight, over about `roundMs`: by time and not by number, or the slowest peer would
 * hold up all others. Every answer is checked.
 */
export async function measureRate(contender: Contender, inFlight: number, roundMs: number): Promise<number> {
  const start = performance.now()
  let calls = 0
  const lane = async () => {
    while (performance.now() - start < roundMs) {
      const n = calls++
      const result = await contender.call(n)
      if (result !== n * n) throw new Error(`${contender.name} answered ${result} for ${n}.`)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  return (calls / (performance.now() - start)) * 1000
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return (low + high) / 2
}
