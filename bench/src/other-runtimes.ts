import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { createBullmq } from './contenders/bullmq.ts'
import { createTurbolift, measureMap } from './contenders/turbolift.ts'
import { type PythonPeers, preparePythonPeers } from './python-peers.ts'
import { type Section, withVersion } from './report.ts'
import { measureByTurns, measureRate } from './rounds.ts'

const IN_FLIGHT = 64
const ROUND_MS = 1000
const ROUNDS = 3
/** The same tiny calls beside what people use to spread work over processes, in JavaScript and in Python. */
export async function benchOtherRuntimes(): Promise<Section> {
  const python = await preparePythonPeers()
  const missing = new Map(python.missing)
  const redis = await findRedis()
  if (redis !== undefined) missing.set('bullmq', redis)
  const [one, two] = [await measureAll(1, python, missing), await measureAll(2, python, missing)]
  const toName = (name: string) => python.labels.get(name) ?? (name === 'bullmq' ? withVersion(name) : name)
  const toRate = (rate: number | undefined) => (rate === undefined ? '' : Math.round(rate).toLocaleString('en'))
  const base = two.get('turbolift, calls') ?? Number.NaN
  const rows = [...two].map(([name, rate]) => [
    toName(name),
    toRate(one.get(name)),
    toRate(rate),
    name.startsWith('turbolift') ? '' : (base / rate).toFixed(1),
  ])
  return {
    title: 'Tiny calls, beside queues and Python',
    text:
      `Calls a second of \`square(n)\`, ${IN_FLIGHT} in flight; the last column says how many times as many turbolift's ` +
      `calls are, with 2 workers. BullMQ runs on a Redis of this machine by unix socket, without a file on disk. joblib ` +
      `and \`map\` put many inputs into one message; joblib with one worker calls the function in the caller's own ` +
      `process, so that is left out. ${ROUNDS} rounds of ${ROUND_MS} ms by turns, the median counts, start-up does not.`,
    head: ['', '1 worker', '2 workers', 'turbolift is × as fast'],
    rows: [...rows, ...[...missing].map(([name, why]) => [`${name}: not measured, ${why}`, '', '', ''])],
  }
}

async function measureAll(
  workers: 1 | 2,
  { python, labels }: PythonPeers,
  missing: ReadonlyMap<string, string>,
): Promise<Map<string, number>> {
  await using bullmq = missing.has('bullmq') ? undefined : await createBullmq(workers)
  const turbolift = createTurbolift(workers)
  const peers = [...labels.keys()].filter((peer) => workers > 1 || peer !== 'joblib')
  return await measureByTurns(
    [
      { name: 'turbolift, calls', measure: () => measureRate(turbolift, IN_FLIGHT, ROUND_MS) },
      { name: 'turbolift, map', measure: () => measureMap(workers, ROUND_MS) },
      ...(bullmq === undefined ? [] : [{ name: 'bullmq', measure: () => measureRate(bullmq, IN_FLIGHT, ROUND_MS) }]),
      ...peers.map((name) => ({ name, measure: () => measurePython(python, name, workers) })),
    ],
    ROUNDS,
  )
}

/** One round in a Python of its own, after one that warms it up. */
async function measurePython(python: string, peer: string, workers: number): Promise<number> {
  const args = ['python/tiny_calls.py', peer, String(workers), String(IN_FLIGHT), String(ROUND_MS), '1']
  const { stdout } = await promisify(execFile)(python, args)
  const [rate] = JSON.parse(stdout).rates
  return rate
}

/** Why there is no Redis; `undefined` when there is one. */
async function findRedis(): Promise<string | undefined> {
  const answer = promisify(execFile)('redis-server', ['--version'])
  return answer.then(
    () => undefined,
    () => 'redis-server is not installed',
  )
}
