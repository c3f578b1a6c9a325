import { createComlink } from './contenders/comlink.ts'
import { createPiscina } from './contenders/piscina.ts'
import { createPoolifier } from './contenders/poolifier.ts'
import { createThreads } from './contenders/threads.ts'
import { createTinypool } from './contenders/tinypool.ts'
import { createTurbolift } from './contenders/turbolift.ts'
import { createWorkerpool } from './contenders/workerpool.ts'
import { type Section, withVersion } from './report.ts'
import { measureByTurns, measureRate } from './rounds.ts'

const IN_FLIGHT = 64
const ROUND_MS = 400
const ROUNDS = 9

/** How many calls of a function that does next to nothing get through, beside pools of worker threads. */
export async function benchTinyCalls(): Promise<Section> {
  const one = await measureAll(1)
  const two = await measureAll(2)
  const names = [...one.keys()].toSorted((a, b) => (one.get(b) ?? 0) - (one.get(a) ?? 0))
  return {
    title: 'Tiny calls',
    text:
      `Calls a second of \`square(n)\`, ${IN_FLIGHT} in flight, and the same as a multiple of piscina. The peers run ` +
      `worker threads, with their default settings; turbolift runs worker processes. All in one program, by turns: ` +
      `${ROUNDS} rounds of ${ROUND_MS} ms each, the median counts.`,
    head: ['', '1 worker', '× piscina', '2 workers', '× piscina'],
    rows: names.map((name) => [withVersion(name), ...toCells(one, name), ...toCells(two, name)]),
  }
}

function toCells(rates: ReadonlyMap<string, number>, name: string): string[] {
  const rate = rates.get(name) ?? Number.NaN
  return [Math.round(rate).toLocaleString('en'), (rate / (rates.get('piscina') ?? Number.NaN)).toFixed(2)]
}

async function measureAll(workers: 1 | 2): Promise<Map<string, number>> {
  const contenders = [
    createTurbolift(workers),
    createPiscina(workers),
    createTinypool(workers),
    createComlink(workers),
    createWorkerpool(workers),
    createThreads(workers),
    createPoolifier(workers),
  ]
  const measured = contenders.map((contender) => ({
    name: contender.name,
    measure: () => measureRate(contender, IN_FLIGHT, ROUND_MS),
  }))
  try {
    return await measureByTurns(measured, ROUNDS)
  } finally {
    for (const contender of contenders) await contender[Symbol.asyncDispose]()
  }
}
