import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { map } from 'turbolift'

import type { Section } from './report.ts'
import { measureByTurns } from './rounds.ts'

const COUNTS = [10_000, 100_000, 1_000_000]
const ROUNDS = 5

async function increment(n: number): Promise<number> {
  'use lift'
  return n + 1
}

/** Peak memory of a program that maps ten thousand, a hundred thousand and a million inputs. */
export async function benchMapMemory(): Promise<Section> {
  const measure = (count: number) => ({ name: String(count), measure: () => runElsewhere(count) })
  const peaks = [...(await measureByTurns(COUNTS.map(measure), ROUNDS)).values()]
  const [fewest = Number.NaN] = peaks
  const rows = COUNTS.map((count, index) => {
    const peak = peaks[index] ?? Number.NaN
    return [count.toLocaleString('en'), `${(peak / 2 ** 10).toFixed(0)} MB`, (peak / fewest).toFixed(2)]
  })
  return {
    title: 'Memory of `map`',
    text:
      'Peak resident memory of the main program while it maps over a generator and adds up the results. Each count in ' +
      `a process of its own; ${ROUNDS} rounds, the median counts. The program is the benchmark itself, with all peers ` +
      "loaded, which takes most of that; a small program begins with less and grows once, by the engine's heap for " +
      'young objects.',
    head: ['inputs', 'peak', 'ratio'],
    rows,
  }
}

/** What the process of its own does: prints its peak memory in kilobytes. */
export async function runMapMemory(count: number): Promise<void> {
  const inputs = function* () {
    for (let n = 0; n < count; n++) yield n
  }
  let sum = 0
  for await (const result of map(increment, inputs())) sum += result
  if (sum !== (count * (count + 1)) / 2) throw new Error(`The sum over ${count} inputs is wrong: ${sum}.`)
  console.log(process.resourceUsage().maxRSS)
}

async function runElsewhere(count: number): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    process.argv[1] ?? '',
    'run-map-memory',
    String(count),
  ])
  return Number(stdout)
}
