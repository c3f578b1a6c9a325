import { FixedThreadPool } from 'poolifier'

import { type Contender, workerPath } from './contender.ts'

export function createPoolifier(workers: number): Contender {
  const pool = new FixedThreadPool<number, number>(workers, workerPath('poolifier'))
  return { name: 'poolifier', call: (n) => pool.execute(n), [Symbol.asyncDispose]: () => pool.destroy() }
}
