import { type ChildProcess, fork, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

import { Queue, QueueEvents } from 'bullmq'

import { type Contender, workerPath } from './contender.ts'

/**
 * BullMQ with a Redis of its own, on a unix socket and without a file on disk: the fastest way to run it here.
 * A caller waits for its job with `waitUntilFinished`, as BullMQ's documents advise.
 */
export async function createBullmq(workers: number): Promise<Contender> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-redis-'))
  const path = join(folder, 'redis.sock')
  const redis = await startRedis(path)
  const name = randomUUID()
  const connection = { path, maxRetriesPerRequest: null }
  const queue = new Queue(name, { connection })
  // From the first event on, not from when it happens to begin to listen: a result would be missed, and waited for.
  const events = new QueueEvents(name, { connection, lastEventId: '0-0' })
  await events.waitUntilReady()
  const children = await Promise.all(Array.from({ length: workers }, () => startWorker(name, path)))
  // Some are kept: a job that is done before its caller waits for it would be missed if it were gone.
  const options = { removeOnComplete: 1000, removeOnFail: 1000 }
  // Each caller that waits adds one, to both.
  for (const emitter of [queue, events]) emitter.setMaxListeners(0)
  return {
    name: 'bullmq',
    call: async (n) => await (await queue.add('square', n, options)).waitUntilFinished(events),
    async [Symbol.asyncDispose]() {
      await Promise.all([queue.close(), events.close()])
      await Promise.all([...children, redis].map(stop))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function startRedis(path: string): Promise<ChildProcess> {
  const redis = spawn('redis-server', ['--port', '0', '--unixsocket', path, '--save', '', '--appendonly', 'no'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  // However the benchmark ends.
  process.once('exit', () => redis.kill())
  for await (const line of createInterface({ input: redis.stdout }))
    if (/ready to accept connections/i.test(line)) break
  redis.stdout.resume()
  return redis
}

async function startWorker(queue: string, path: string): Promise<ChildProcess> {
  const child = fork(workerPath('bullmq'), [queue, path])
  await once(child, 'message')
  return child
}

async function stop(child: ChildProcess): Promise<void> {
  child.kill()
  await once(child, 'exit')
}
