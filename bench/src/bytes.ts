import { Worker } from 'node:worker_threads'

import { workerPath } from './contenders/contender.ts'
import type { Section } from './report.ts'
import { type Measured, measureByTurns, runInFlight } from './rounds.ts'

const SIZE = 2 ** 20
const CALLS = 200
const ROUNDS = 9

async function echo(bytes: Uint8Array): Promise<Uint8Array> {
  'use lift: one'
  return bytes
}

/** 1 MB there and back, beside the copy that `postMessage` makes between two threads. */
export async function benchBytes(): Promise<Section> {
  const worker = new Worker(workerPath('echo'))
  const rows: string[][] = []
  const post = createPost(worker)
  for (const inFlight of [1, 8]) {
    const rates = await measureByTurns(
      [toMeasured('turbolift', inFlight, echo), toMeasured('postMessage', inFlight, post)],
      ROUNDS,
    )
    const [lifted = Number.NaN, posted = Number.NaN] = [rates.get('turbolift'), rates.get('postMessage')]
    rows.push([
      `${inFlight} in flight`,
      `${lifted.toFixed(0)} MB/s`,
      `${posted.toFixed(0)} MB/s`,
      (lifted / posted).toFixed(2),
    ])
  }
  await worker.terminate()
  return {
    title: 'Bytes',
    text:
      `A \`Uint8Array\` of 1 MB there and back, one worker, target \`local\`; beside \`postMessage\` of a copy to a ` +
      `worker thread and back. Both ways count. ${ROUNDS} rounds of ${CALLS} calls by turns, the median counts.`,
    head: ['', 'turbolift', 'postMessage', 'ratio'],
    rows,
  }
}

type Echo = (bytes: Uint8Array) => Promise<Uint8Array>

function toMeasured(name: string, inFlight: number, call: Echo): Measured {
  const bytes = new Uint8Array(SIZE).map((_, index) => index % 251)
  const measure = async () => {
    const start = performance.now()
    await runInFlight(CALLS, inFlight, async () => {
      const answer = await call(bytes)
      if (answer.length !== SIZE || answer[SIZE - 1] !== bytes[SIZE - 1]) throw new Error(`${name} lost bytes.`)
    })
    return ((2 * CALLS * SIZE) / 2 ** 20 / (performance.now() - start)) * 1000
  }
  return { name, measure }
}

/** Answers come in the order of the questions, so a queue is all it takes. */
function createPost(worker: Worker): Echo {
  const waiting: ((answer: Uint8Array) => void)[] = []
  worker.on('message', (answer) => waiting.shift()?.(answer))
  return (bytes) =>
    new Promise((resolve) => {
      waiting.push(resolve)
      worker.postMessage(bytes)
    })
}
