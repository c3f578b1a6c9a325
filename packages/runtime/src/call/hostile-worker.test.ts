import { Duplex } from 'node:stream'

import { createFrameWriter } from '@turbolift/worker-base/wire'
import type { Message } from '@turbolift/worker-base/wire'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import type { LiftError } from '../errors.ts'
import { WorkerClient } from './client.ts'
import type { ClientEvents } from './client.ts'
import { WorkerConnections } from './connections.ts'

// The program's own clock is not moved by tests; here it has to be.
vi.mock('@turbolift/worker-base/clock', async (importOriginal) => ({
  ...(await importOriginal<object>()),
  setTimeout: (callback: () => void, delayMs: number) => setTimeout(callback, delayMs),
  setInterval: (callback: () => void, delayMs: number) => setInterval(callback, delayMs),
  clearTimeout: (timer: NodeJS.Timeout) => clearTimeout(timer),
  clearInterval: (timer: NodeJS.Timeout) => clearInterval(timer),
  performance: { now: () => performance.now() },
}))

// A worker that is in the hands of somebody else must not keep calls waiting for ever.
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const HELLO = { workerId: 'w', build: 'b', slots: 1, pid: 1, maxFrameBytes: 1000 }

/** The worker's end of a connection, and what the program hears of it. */
function createPair() {
  const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })
  const lost: string[] = []
  const events: ClientEvents = {
    onReady: () => undefined,
    onAnswer: () => undefined,
    onRoom: () => undefined,
    onLog: () => undefined,
    onDraining: () => undefined,
    onLost: (_client, error) => lost.push(`${error.code} ${error.message}`),
  }
  const client = new WorkerClient({ workerId: 'w', stream, events, pingMs: 1000 })
  return { stream, lost, client }
}

function encode(...messages: readonly Message[]): Buffer {
  const chunks: Buffer[] = []
  const sink = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk)
      done()
    },
  })
  const writer = createFrameWriter(sink)
  for (const message of messages) writer.send(message)
  writer.flush()
  return Buffer.concat(chunks)
}

const PONG: Message = { kind: 'pong', id: 0 }

async function answerPings(stream: Duplex, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    await vi.advanceTimersByTimeAsync(1000)
    if (!stream.destroyed) stream.push(encode(PONG))
  }
}

test('a worker that answers pings is kept', async () => {
  const { stream, lost, client } = createPair()
  stream.push(encode({ kind: 'hello', id: 0, hello: HELLO }))
  await answerPings(stream, 100)
  expect(lost).toEqual([])
  client.close()
})

test('a frame that is announced and never comes counts as silence, whatever comes in its place', async () => {
  const { stream, lost } = createPair()
  const header = Buffer.alloc(13)
  header.writeUInt32LE(200_000_000, 0)
  header.writeUInt8(3, 4)
  stream.push(Buffer.concat([encode({ kind: 'hello', id: 0, hello: HELLO }), header]))
  await answerPings(stream, 10)
  expect(lost).toEqual([expect.stringContaining('WORKER_SILENT')])
})

test('a large frame on a slow connection is waited for', async () => {
  const { stream, lost, client } = createPair()
  const header = Buffer.alloc(13)
  header.writeUInt32LE(200_000, 0)
  header.writeUInt8(3, 4)
  stream.push(Buffer.concat([encode({ kind: 'hello', id: 0, hello: HELLO }), header]))
  for (let second = 0; second < 30; second += 1) {
    await vi.advanceTimersByTimeAsync(1000)
    stream.push(Buffer.alloc(5000))
  }
  expect(lost).toEqual([])
  client.close()
})

test.each([-1, 0, 0.5, NaN, 1e9])('a worker of %s slots is no worker', async (slots) => {
  const { stream, lost } = createPair()
  stream.push(encode({ kind: 'hello', id: 0, hello: { ...HELLO, slots } }))
  await vi.advanceTimersByTimeAsync(1)
  expect(lost).toEqual([expect.stringContaining('WORKER_UNREACHABLE')])
})

test('a worker that ends without end gives its place to another one', async () => {
  const { stream, lost } = createPair()
  stream.push(encode({ kind: 'hello', id: 0, hello: HELLO }, { kind: 'draining', id: 0 }))
  await answerPings(stream, 25)
  expect(lost).toEqual([])
  await answerPings(stream, 10)
  expect(lost).toEqual([expect.stringMatching(/WORKER_SILENT.*said 30 s ago that it ends/s)])
})

test('a worker that is connected to in vain time after time is given up', async () => {
  let dials = 0
  const unreachable: LiftError[] = []
  const events: ClientEvents = {
    onReady: (client) => connections.add(client),
    onAnswer: () => undefined,
    onRoom: () => undefined,
    onLog: () => undefined,
    onDraining: () => undefined,
    onLost: (client, error) => void connections.replace(client, error),
  }
  const connections: WorkerConnections = new WorkerConnections({
    build: 'b',
    events,
    pingMs: 1000,
    onUnreachable: (_workerId, error) => unreachable.push(error),
  })
  const dial = async (): Promise<Duplex> => {
    dials += 1
    const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })
    const hello = encode({ kind: 'hello', id: 0, hello: { ...HELLO, slots: -1 } })
    stream.push(Buffer.concat([Buffer.from('HTTP/1.1 101 Switching Protocols\r\n\r\n'), hello]))
    return stream
  }
  connections.open({ id: 'w', token: 't', dial })
  await vi.advanceTimersByTimeAsync(60_000)
  expect(unreachable.map(({ code }) => code)).toEqual(['WORKER_UNREACHABLE'])
  expect(dials).toBe(5)
  connections.close()
})
