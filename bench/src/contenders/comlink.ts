import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'

import { type Endpoint, wrap } from 'comlink'

import { type Contender, workerPath } from './contender.ts'

interface Api {
  square(n: number): number
}

// Its adapter for Node is CommonJS without an entry in `exports`.
const nodeEndpoint: (worker: Worker) => Endpoint = createRequire(`${process.cwd()}/package.json`)(
  'comlink/dist/umd/node-adapter.js',
)

/** Comlink has no pool; calls go to the workers in turn. */
export function createComlink(workers: number): Contender {
  const threads = Array.from({ length: workers }, () => new Worker(workerPath('comlink')))
  const remotes = threads.map((thread) => wrap<Api>(nodeEndpoint(thread)))
  let next = 0
  return {
    name: 'comlink',
    async call(n) {
      const remote = remotes[next++ % remotes.length]
      if (remote === undefined) throw new Error('There are no workers.')
      return await remote.square(n)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(threads.map((thread) => thread.terminate()))
    },
  }
}
