import { Tinypool } from 'tinypool'

import { type Contender, workerPath } from './contender.ts'

export function createTinypool(workers: number): Contender {
  const pool = new Tinypool({ filename: workerPath('function'), minThreads: workers, maxThreads: workers })
  return { name: 'tinypool', call: (n) => pool.run(n), [Symbol.asyncDispose]: () => pool.destroy() }
}
