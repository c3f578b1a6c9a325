import { Pool, spawn, Worker } from 'threads'

import type { Contender } from './contender.ts'

interface Api {
  square(n: number): Promise<number>
}

/** The path of its worker is relative to the running file, which is `dist/main.js`. */
export function createThreads(workers: number): Contender {
  const pool = Pool(() => spawn<Api>(new Worker('../workers/threads.mjs')), workers)
  return {
    name: 'threads',
    call: async (n) => await pool.queue((thread) => thread.square(n)),
    [Symbol.asyncDispose]: () => pool.terminate(),
  }
}
