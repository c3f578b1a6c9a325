import { availableParallelism } from 'node:os'

import { map } from 'turbolift'

import type { Section } from './report.ts'
import { type Measured, measureByTurns } from './rounds.ts'
import burn from '../workers/burn.mjs'
import { burnFor } from './burn.ts'
import { createPiscina } from './contenders/piscina.ts'

const ROUNDS = 5
const CASES = [
  { ms: 1, calls: 4000 },
  { ms: 10, calls: 400 },
  { ms: 100, calls: 40 },
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
  await using piscina = createPiscina(cores, 'burn')
  const rows: string[][] = []
  for (const { ms, calls } of CASES) {
    const inputs = Array.from({ length: calls }, () => Math.round(stepsPerMs * ms))
    const rates = await measureByTurns(
      [
        toMeasured('one process', calls, async () => inputs.map(burn)),
        toMeasured('lifted', calls, async () => await map(burnLifted, inputs)),
        toMeasured('piscina', calls, async () => await Promise.all(inputs.map((steps) => piscina.call(steps)))),
      ],
      ROUNDS,
    )
    const [single = Number.NaN, lifted = Number.NaN, peer = Number.NaN] = rates.values()
    rows.push([
      `${ms} ms`,
      String(calls),
      `${(calls / single).toFixed(3)} s`,
      `${(calls / lifted).toFixed(3)} s`,
      (lifted / single).toFixed(2),
      (lifted / single / cores).toFixed(3),
      (peer / single / cores).toFixed(3),
    ])
  }
  return {
    title: 'CPU-bound calls',
    text:
      `\`map\` over calls that compute for 1, 10 and 100 ms, on all ${cores} cores, beside the same calls one after ` +
      `the other in one process. Efficiency 1 means ${cores} times as fast. ${ROUNDS} rounds by turns, the medians ` +
      `count; the start of the workers is not in them. piscina runs the same in ${cores} worker threads.`,
    head: ['a call', 'calls', 'one process', 'lifted', 'speed-up', 'efficiency', "piscina's"],
    rows,
  }
}

function toMeasured(name: string, calls: number, run: () => Promise<unknown>): Measured {
  const measure = async () => {
    const start = performance.now()
    await run()
    return (calls / (performance.now() - start)) * 1000
  }
  return { name, measure }
}

function calibrate(): number {
  burnFor(500)
  return burnFor(1000) / 1000
}
