import { availableParallelism } from 'node:os'

import { map } from 'turbolift'

import type { Section } from './report.ts'
import { median } from './rounds.ts'
import { burn, burnFor } from './burn.ts'

const ROUNDS = 5
const CASES = [
  { ms: 1, calls: 1000 },
  { ms: 10, calls: 100 },
  { ms: 100, calls: 20 },
] as const

/** Burns so many steps of pure computing; a number of steps, not a time, so that a busy machine shows. */
async function burnLifted(steps: number): Promise<number> {
  'use lift'
  return burn(steps)
}

/** What `map` makes of all cores for calls that only compute, against the ideal of cores × one process. */
export async function benchEfficiency(): Promise<Section> {
  const cores = availableParallelism()
  const stepsPerMs = calibrate()
  const rows: string[][] = []
  for (const { ms, calls } of CASES) {
    const inputs = Array.from({ length: calls }, () => Math.round(stepsPerMs * ms))
    const [single, lifted] = await measurePair(inputs)
    const speedUp = single / lifted
    rows.push([
      `${ms} ms`,
      String(calls),
      `${toSeconds(single)} s`,
      `${toSeconds(lifted)} s`,
      speedUp.toFixed(2),
      (speedUp / cores).toFixed(3),
    ])
  }
  return {
    title: 'CPU-bound calls',
    text:
      `\`map\` over calls that compute for 1, 10 and 100 ms, on all ${cores} cores, beside the same calls one after ` +
      `the other in one process. Efficiency 1 means ${cores} times as fast. ${ROUNDS} rounds by turns, the medians ` +
      `count; the start of the workers is not in them.`,
    head: ['a call', 'calls', 'one process', 'lifted', 'speed-up', 'efficiency'],
    rows,
  }
}

async function measurePair(inputs: readonly number[]): Promise<[single: number, lifted: number]> {
  const [singles, lifteds]: [number[], number[]] = [[], []]
  for (let round = 0; round <= ROUNDS; round++) {
    const single = await time(async () => inputs.map(burn))
    const lifted = await time(async () => await map(burnLifted, inputs))
    // The first round starts the workers and lets the compiler of the engine do its work.
    if (round > 0) {
      singles.push(single)
      lifteds.push(lifted)
    }
  }
  return [median(singles), median(lifteds)]
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

function calibrate(): number {
  burnFor(500)
  return burnFor(1000) / 1000
}

function toSeconds(ms: number): string {
  return (ms / 1000).toFixed(3)
}
