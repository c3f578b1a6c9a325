import { Piscina } from 'piscina'

import { type Contender, workerPath } from './contender.ts'

export function createPiscina(workers: number, program = 'function'): Contender {
  const pool = new Piscina<number, number>({
    filename: workerPath(program),
    minThreads: workers,
    maxThreads: workers,
  })
  return { name: 'piscina', call: (n) => pool.run(n), [Symbol.asyncDispose]: () => pool.destroy() }
}
