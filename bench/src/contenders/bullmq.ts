import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

import { Queue, QueueEvents } from 'bullmq'

import { type ProcessGroup, startGroup, withDeadline } from '../process-group.ts'
import { type Contender, workerPath } from './contender.ts'

const START_DEADLINE_MS = 30_000
const CLOSE_DEADLINE_MS = 5_000

/**
 * BullMQ with a Redis of its own, on a unix socket and without a file on disk: the fastest way to run it here.
 * A caller waits for its job with `waitUntilFinished`, as BullMQ's documents advise.
 */
export async function createBullmq(workers: number): Promise<Contender> {
  const opened: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (const undo of opened.splice(0).toReversed()) await withDeadline(undo(), CLOSE_DEADLINE_MS)
  }
  try {
    const call = await withDeadline(open(workers, opened), START_DEADLINE_MS)
    return { name: 'bullmq', call, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

async function open(workers: number, opened: (() => Promise<unknown>)[]): Promise<Contender['call']> {
  const folder = await createFolder(opened)
  const path = join(folder, 'redis.sock')
  const redis = startRedis(path)
  opened.push(async () => await redis[Symbol.asyncDispose]())
  await waitUntilReady(redis)
  const name = randomUUID()
  const connection = { path, maxRetriesPerRequest: null }
  const queue = new Queue(name, { connection })
  // From the first event on, not from when it happens to begin to listen: a result would be missed, and waited for.
  const events = new QueueEvents(name, { connection, lastEventId: '0-0' })
  opened.push(() => Promise.all([queue.close(), events.close()]))
  const children = Array.from({ length: workers }, () => fork(workerPath('bullmq'), [name, path]))
  opened.push(() => Promise.all(children.map(stop)))
  await Promise.all([events.waitUntilReady(), ...children.map((child) => once(child, 'message'))])
  // Each caller that waits adds one, to both.
  for (const emitter of [queue, events]) emitter.setMaxListeners(0)
  // Some are kept: a job that is done before its caller waits for it would be missed if it were gone.
  const options = { removeOnComplete: 1000, removeOnFail: 1000 }
  return async (n) => await (await queue.add('square', n, options)).waitUntilFinished(events)
}

/** For the socket; removed however the benchmark ends. Redis and the workers see by themselves that it is gone. */
async function createFolder(opened: (() => Promise<unknown>)[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-redis-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  opened.push(async () => remove())
  return folder
}

function startRedis(path: string): ProcessGroup {
  const redis = startGroup('redis-server', ['--port', '0', '--unixsocket', path, '--save', '', '--appendonly', 'no'])
  redis.stderr.resume()
  return redis
}

/** @throws Error with what Redis printed last, when it ends instead */
async function waitUntilReady(redis: ProcessGroup): Promise<void> {
  let last = 'it printed nothing'
  for await (const line of createInterface({ input: redis.stdout })) {
    if (/ready to accept connections/i.test(line)) {
      // Or Redis would wait one day for somebody to read what it prints.
      redis.stdout.resume()
      return
    }
    last = line
  }
  throw new Error(`redis-server did not start: ${last}`)
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
