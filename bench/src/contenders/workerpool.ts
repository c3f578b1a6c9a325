import workerpool from 'workerpool'

import { type Contender, workerPath } from './contender.ts'

export function createWorkerpool(workers: number): Contender {
  const pool = workerpool.pool(workerPath('workerpool'), {
    minWorkers: workers,
    maxWorkers: workers,
    workerType: 'thread',
  })
  return {
    name: 'workerpool',
    call: async (n) => await pool.exec('square', [n]),
    async [Symbol.asyncDispose]() {
      await pool.terminate()
    },
  }
}
