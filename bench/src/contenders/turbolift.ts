import { map } from 'turbolift'

import type { Contender } from './contender.ts'

async function squareOnOne(n: number): Promise<number> {
  'use lift: one'
  return n * n
}

async function squareOnTwo(n: number): Promise<number> {
  'use lift: two'
  return n * n
}

export function createTurbolift(workers: 1 | 2): Contender {
  return {
    name: 'turbolift',
    call: workers === 1 ? squareOnOne : squareOnTwo,
    // Workers go with the program.
    [Symbol.asyncDispose]: async () => {},
  }
}

/** Calls a second of a `map` over as many inputs as fit into about `roundMs`. */
export async function measureMap(workers: 1 | 2, roundMs: number): Promise<number> {
  const start = performance.now()
  let results = 0
  const inputs = function* () {
    for (let n = 0; performance.now() - start < roundMs; n++) yield n
  }
  for await (const result of map(workers === 1 ? squareOnOne : squareOnTwo, inputs())) {
    if (result !== results * results) throw new Error(`map answered ${result} for ${results}.`)
    results++
  }
  return (results / (performance.now() - start)) * 1000
}
