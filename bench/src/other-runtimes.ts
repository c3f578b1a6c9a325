import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { createBullmq } from './contenders/bullmq.ts'
import { createTurbolift, measureMap } from './contenders/turbolift.ts'
import { type Section, withVersion } from './report.ts'
import { measureByTurns, measureRate } from './rounds.ts'

const IN_FLIGHT = 64
const ROUND_MS = 1000
const ROUNDS = 5
const PYTHON = process.env['BENCH_PYTHON'] ?? 'python3'
const PYTHON_PEERS = ['ray', 'distributed', 'joblib']

/** The same tiny calls beside what people use to spread work over processes, in JavaScript and in Python. */
export async function benchOtherRuntimes(): Promise<Section> {
  const versions = new Map(await Promise.all(PYTHON_PEERS.map(readVersion)))
  const one = await measureAll(1, [...versions.keys()])
  const two = await measureAll(2, [...versions.keys()])
  const toName = (name: string) => versions.get(name) ?? (name === 'bullmq' ? withVersion(name) : name)
  const toRate = (rate: number | undefined) => (rate === undefined ? '' : Math.round(rate).toLocaleString('en'))
  return {
    title: 'Tiny calls, beside queues and Python',
    text:
      `Calls a second of \`square(n)\`, ${IN_FLIGHT} in flight. BullMQ runs on a Redis of this machine by unix socket, ` +
      `without a file on disk. joblib and \`map\` put many inputs into one message; joblib with one worker calls the ` +
      `function in the caller's own process, so that is left out. ${ROUNDS} rounds of ${ROUND_MS} ms by turns, the ` +
      `median counts, start-up does not. Python from \`bench/python/requirements.txt\`.`,
    head: ['', '1 worker', '2 workers'],
    rows: [...two.keys()].map((name) => [toName(name), toRate(one.get(name)), toRate(two.get(name))]),
  }
}

async function measureAll(workers: 1 | 2, pythonPeers: readonly string[]): Promise<Map<string, number>> {
  await using bullmq = await createBullmq(workers)
  const turbolift = createTurbolift(workers)
  const peers = pythonPeers.filter((peer) => workers > 1 || peer !== 'joblib')
  return await measureByTurns(
    [
      { name: 'turbolift, calls', measure: () => measureRate(turbolift, IN_FLIGHT, ROUND_MS) },
      { name: 'turbolift, map', measure: () => measureMap(workers, ROUND_MS) },
      { name: 'bullmq', measure: () => measureRate(bullmq, IN_FLIGHT, ROUND_MS) },
      ...peers.map((name) => ({ name, measure: () => measurePython(name, workers) })),
    ],
    ROUNDS,
  )
}

/** One round in a Python of its own, after one that warms it up. */
async function measurePython(peer: string, workers: number): Promise<number> {
  const args = ['python/tiny_calls.py', peer, String(workers), String(IN_FLIGHT), String(ROUND_MS), '1']
  const { stdout } = await promisify(execFile)(PYTHON, args)
  const [rate] = JSON.parse(stdout).rates
  return rate
}

async function readVersion(peer: string): Promise<[name: string, label: string]> {
  const script = `import ${peer}; print(${peer}.__version__)`
  const { stdout } = await promisify(execFile)(PYTHON, ['-c', script])
  return [peer, `${peer} ${stdout.trim()}`]
}
