import { Duplex, PassThrough } from 'node:stream'

import { createFrameWriter } from '@turbolift/worker-base/wire'
import type { WireValue, WorkerMessage } from '@turbolift/worker-base/wire'
import { expect, test, vi } from 'vitest'

import { Batch, BatchedCall } from './batch.ts'
import { WorkerClient } from './client.ts'
import { DecodingSink } from './invoke.ts'
import type { Settle } from './invoker.ts'
import { Task } from './task.ts'
import type { CallRequest, CallSink } from './task.ts'

const damaged: WireValue = { format: 'json', text: '{"cut', parts: [] }
const meta = { id: 'main#square', name: 'square', length: 1, pool: 'default', kind: 'call' } as const
const manifest = { version: 1, program: '', hash: '', functions: {}, options: {}, externals: [], files: '' } as const
const request: CallRequest = {
  liftId: meta.id,
  name: meta.name,
  captures: 0,
  results: 'whole',
  value: { format: 'json', text: '[1]', parts: [] },
  timeoutMs: undefined,
  signal: undefined,
  retry: {},
  mapId: undefined,
}

/** A connection to a worker that the test plays. */
function connect() {
  const [fromWorker, toWorker] = [new PassThrough(), new PassThrough()]
  const worker = createFrameWriter(fromWorker)
  const lost = vi.fn()
  const client = new WorkerClient({
    workerId: 'w',
    stream: Duplex.from({ readable: fromWorker, writable: toWorker.resume() }),
    pingMs: 60_000,
    events: {
      onReady: () => undefined,
      onAnswer: (task, message) => {
        if (message.kind === 'result') task.resolve(message.value)
        else throw new Error('cannot be read')
      },
      onRoom: () => undefined,
      onLog: () => undefined,
      onDraining: () => undefined,
      onLost: lost,
    },
  })
  const send = (sink: CallSink) => {
    const task = new Task(request, sink)
    client.send(task, 0)
    return task
  }
  return { client, lost, send, say: (message: WorkerMessage) => worker.send(message) }
}

function createSink() {
  const settle = { resolve: vi.fn<Settle['resolve']>(), reject: vi.fn<Settle['reject']>() }
  return { settle, sink: new DecodingSink(settle, 'square') }
}

const unreadable = expect.objectContaining({ code: 'ANSWER_UNREADABLE' })

test.each([
  ['result', (id: number): WorkerMessage => ({ kind: 'result', id, value: damaged })],
  ['error', (id: number): WorkerMessage => ({ kind: 'error', id, value: damaged })],
  ['opened', (id: number): WorkerMessage => ({ kind: 'opened', id, value: damaged })],
])('a damaged %s settles its call, and the connection goes on', async (_, toMessage) => {
  const { client, lost, send, say } = connect()
  const { settle, sink } = createSink()
  const next = createSink()
  const task = send(sink)
  const other = send(next.sink)
  say(toMessage(task.callId))
  say({ kind: 'result', id: other.callId, value: { format: 'json', text: '4', parts: [] } })
  await vi.waitFor(() => expect(next.settle.resolve).toHaveBeenCalledWith(4))
  expect(settle.reject).toHaveBeenCalledExactlyOnceWith(unreadable)
  expect(settle.resolve).not.toHaveBeenCalled()
  expect(lost).not.toHaveBeenCalled()
  client.close()
})

test('a damaged result of a batch settles each of its calls', () => {
  const sinks = [createSink(), createSink()]
  const lifted = { meta, captures: undefined, options: {}, mapId: 1, manifest }
  const calls = sinks.map(
    ({ settle }) => new BatchedCall(lifted, { captures: 0, text: '[1]', results: 'whole', settle }),
  )
  const tasks: Task[] = []
  const batches = {
    slots: 1,
    submit: (of: CallRequest, sink: CallSink) => {
      const task = new Task(of, sink)
      tasks.push(task)
      return task
    },
    resume: (of: CallRequest, sink: CallSink) => new Task(of, sink),
    cancel: () => undefined,
  }
  new Batch(calls, batches, { onMeasured: () => undefined, onGivenBack: () => undefined }).submit()
  tasks[0]?.resolve(damaged)
  for (const { settle } of sinks) expect(settle.reject).toHaveBeenCalledExactlyOnceWith(unreadable)
})
