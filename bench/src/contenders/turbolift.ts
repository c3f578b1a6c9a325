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
