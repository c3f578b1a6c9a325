import { createBullmq } from './contenders/bullmq.ts'
import { createTurbolift, measureMap } from './contenders/turbolift.ts'
import { runGroup, withDeadline } from './process-group.ts'
import { measurePython, preparePythonPeers } from './python-peers.ts'
import { type Section, withVersion } from './report.ts'
import { type Measured, measureByTurns, measureRate } from './rounds.ts'

const IN_FLIGHT = 64
const ROUND_MS = 1000
const ROUNDS = 3
const ROUND_DEADLINE_MS = 30_000
const INSTALL_DEADLINE_MS = 120_000

/** Why a peer was not measured, by name; it grows while they are. */
type Missing = Map<string, string>

/** The same tiny calls beside what people use to spread work over processes, in JavaScript and in Python. */
export async function benchOtherRuntimes(): Promise<Section> {
  const python = await preparePythonPeers()
  const missing: Missing = new Map(python.missing)
  const redis = await prepareRedis(missing)
  const labels = new Map([...python.labels, ['bullmq', `${withVersion('bullmq')} on Redis ${redis}`]])
  const peers = [...python.labels.keys()]
  const one = await measureAll(1, peers, missing)
  const two = await measureAll(2, peers, missing)
  const rows = [...two]
    .filter(([name]) => !missing.has(name))
    .map(([name, rate]) => [labels.get(name) ?? name, toCell(one.get(name)), toCell(rate), toRatio(name, two)])
  return {
    title: 'Tiny calls, beside queues and Python',
    text:
      `Calls a second of \`square(n)\`, ${IN_FLIGHT} in flight; the last column says how many times as many turbolift's ` +
      `calls are, with 2 workers. BullMQ runs on a Redis of this machine by unix socket, without a file on disk. joblib ` +
      `in batches and \`map\` put many inputs into one message and have more of them in flight, so these two are set ` +
      `beside each other. joblib with one worker calls the function in the caller's own process, which is left out. ` +
      `${ROUNDS} rounds of ${ROUND_MS} ms by turns, the median counts, start-up does not.`,
    head: ['', '1 worker', '2 workers', 'turbolift is × as fast'],
    rows: [...rows, ...[...missing].map(([name, why]) => [`${name}: not measured, ${why}`, '', '', ''])],
  }
}

function toRatio(name: string, rates: ReadonlyMap<string, number>): string {
  if (name.startsWith('turbolift')) return ''
  const beside = name === 'joblib-batches' ? 'turbolift, map' : 'turbolift, calls'
  return ((rates.get(beside) ?? Number.NaN) / (rates.get(name) ?? Number.NaN)).toFixed(1)
}

function toCell(rate: number | undefined): string {
  return rate === undefined ? '' : Math.round(rate).toLocaleString('en')
}

async function measureAll(workers: 1 | 2, python: readonly string[], missing: Missing): Promise<Map<string, number>> {
  const turbolift = createTurbolift(workers)
  const bullmq = missing.has('bullmq') ? undefined : await createBullmq(workers).catch(leaveOut('bullmq', missing))
  // Python gets a deadline where its processes can be ended.
  const peers = python
    .filter((peer) => workers > 1 || !peer.startsWith('joblib'))
    .map((name) => ({
      name,
      measure: () => measurePython(name, { workers, inFlight: IN_FLIGHT, roundMs: ROUND_MS }),
    }))
  const measureBullmq = (queue: typeof turbolift) => ({
    name: 'bullmq',
    measure: () => withDeadline(measureRate(queue, IN_FLIGHT, ROUND_MS), ROUND_DEADLINE_MS),
  })
  const contenders = [...(bullmq === undefined ? [] : [measureBullmq(bullmq)]), ...peers]
  try {
    return await measureByTurns(
      [
        { name: 'turbolift, calls', measure: () => measureRate(turbolift, IN_FLIGHT, ROUND_MS) },
        { name: 'turbolift, map', measure: () => measureMap(workers, ROUND_MS) },
        ...contenders.map((contender) => withoutFailing(contender, missing)),
      ],
      ROUNDS,
    )
  } finally {
    await Promise.resolve(bullmq?.[Symbol.asyncDispose]()).catch(leaveOut('bullmq', missing))
  }
}

/** A peer that fails once is left out, with the reason, and holds up none of the others. */
function withoutFailing(measured: Measured, missing: Missing): Measured {
  const { name } = measured
  return {
    name,
    measure: async () =>
      (missing.has(name) ? undefined : await measured.measure().catch(leaveOut(name, missing))) ?? Number.NaN,
  }
}

function leaveOut(name: string, missing: Missing): (error: unknown) => undefined {
  return (error) => {
    missing.set(name, error instanceof Error ? error.message : String(error))
    return undefined
  }
}

/** The version of the Redis that is here; where apt may, it brings one. */
async function prepareRedis(missing: Missing): Promise<string> {
  const readVersion = async () =>
    (await runGroup('redis-server', ['--version'], INSTALL_DEADLINE_MS)).match(/v=(\S+)/)?.[1] ?? 'of unknown version'
  try {
    return await readVersion().catch(async () => {
      await runGroup('apt-get', ['install', '--yes', '--no-install-recommends', 'redis-server'], INSTALL_DEADLINE_MS)
      return await readVersion()
    })
  } catch (error) {
    leaveOut('bullmq', missing)(new Error('redis-server is not installed, and apt-get could not', { cause: error }))
    return ''
  }
}
