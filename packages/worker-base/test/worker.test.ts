import { describe, expect, it } from 'vitest'

import { decodeError, decodeValue } from '../src/wire.ts'
import type { Message } from '../src/wire.ts'
import { TestWorker } from './start-worker.ts'

function valueOf(message: Message): unknown {
  if (message.kind === 'result' || message.kind === 'end' || message.kind === 'item') return decodeValue(message.value)
  if (message.kind === 'error') return decodeError(message.value)
  return message
}

describe('calls', () => {
  it('run, and bring results and errors back', async () => {
    await using worker = new TestWorker()
    const client = await worker.connect()
    expect(await client.kind('hello')).toMatchObject({ hello: { workerId: 'w1', build: 'test-build', slots: 1 } })
    expect(valueOf(await client.call('square', [7]))).toBe(49)
    expect(valueOf(await client.call('captured', [2], { list: [10, { plus: 1 }], captures: 2 }))).toBe(21)
    const value = { map: new Map([[1n, new Set(['a'])]]), bytes: Uint8Array.of(1, 2), none: undefined }
    expect(valueOf(await client.call('echo', [value]))).toStrictEqual(value)
    const error = valueOf(await client.call('throwType', []))
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ message: 'wrong', cause: { message: 'deep' } })
    expect(Object(error).stack).toMatch(/^TypeError: wrong\n\s+at .*functions\.js:\d+/)
    expect(Object(error).stack).not.toContain('executor.js')
    expect(valueOf(await client.call('throwText', []))).toBe('just text')
  })

  it('refuse what cannot be sent, with the path, and unknown functions', async () => {
    await using worker = new TestWorker()
    const client = await worker.connect()
    expect(await client.call('returnsFunction', [])).toMatchObject({
      lost: { reason: 'unsendable', path: 'result.list[1]', detail: 'a function', started: true },
    })
    expect(await client.call('missing', [])).toMatchObject({ lost: { reason: 'unknown-function', started: false } })
  })

  it('keep their order on one executor, thousands in flight', async () => {
    await using worker = new TestWorker()
    const client = await worker.connect()
    const ids = await Promise.all(Array.from({ length: 6000 }, () => client.start('increment', [])))
    const answers = await Promise.all(ids.slice(-1).map((id) => client.answer(id)))
    expect(valueOf(answers[0] ?? { kind: 'ping', id: 0 })).toBe(6000)
  })

  it('carry megabytes both ways', async () => {
    await using worker = new TestWorker()
    const client = await worker.connect()
    const bytes = new Uint8Array(20_000_000).map((_, index) => index)
    const text = 'ä'.repeat(3_000_000)
    const result = Object(valueOf(await client.call('echo', [{ bytes, text, small: bytes.subarray(0, 9) }])))
    expect(Buffer.compare(result.bytes, bytes)).toBe(0)
    expect(result.text).toBe(text)
    expect(result.small).toEqual(bytes.slice(0, 9))
  })

  it('run on as many executors as there are slots', async () => {
    await using worker = new TestWorker({ environment: { TURBOLIFT_CONCURRENCY: '2' } })
    const client = await worker.connect()
    const sleeping = await client.start('untilAborted', [])
    expect(valueOf(await client.call('square', [3]))).toBe(9)
    const last = await client.start('square', [4])
    expect(valueOf(await client.answer(last))).toBe(16)
    client.cancel(sleeping, 10_000)
    expect(valueOf(await client.answer(sleeping))).toMatchObject({ message: 'enough' })
  })

  it('know their context', async () => {
    await using worker = new TestWorker()
    const client = await worker.connect()
    expect(valueOf(await client.call('context', [], { attempt: 3 }))).toMatchObject({
      attempt: 3,
      workerId: 'w1',
      isAborted: false,
      callId: expect.stringMatching(/^w1\.\d+$/),
    })
    expect(valueOf(await client.call('opened', []))).toBe(1)
    expect(valueOf(await client.call('environment', ['TURBOLIFT_TOKEN']))).toBe(undefined)
  })
})

describe('output', () => {
  it('travels labelled with its call', async () => {
    await using worker = new TestWorker()
    const client = await worker.connect()
    const id = await client.start('print', ['hello'])
    await client.answer(id)
    const logs = client.received.filter((message) => message.kind === 'log')
    expect(logs).toMatchObject([
      { id, log: { stream: 'stdout', text: 'hello', executor: 0, dropped: 0 } },
      { id, log: { stream: 'stderr', text: 'error: hello' } },
      { id, log: { stream: 'stdout', text: 'unfinished' } },
    ])
    await client.call('logger', [])
    expect(client.logs()).toContain('careful { a: 1 }')
  })

  it('is bounded, and what was dropped is counted', async () => {
    await using worker = new TestWorker()
    const client = await worker.connect()
    await client.call('printMany', [50_000])
    worker.child.kill('SIGTERM')
    await client.closed
    const logs = client.received.flatMap((message) => (message.kind === 'log' ? [message.log] : []))
    // One of the lines is what the stop hook prints.
    const lines = client.logs().filter((line) => line !== '').length
    const dropped = logs.reduce((sum, log) => sum + log.dropped, 0)
    expect(lines).toBeLessThan(10_000)
    expect(lines + dropped).toBe(50_001)
  })
})

describe('streams', () => {
  it('send an item for each credit, and then the end', async () => {
    await using worker = new TestWorker()
    const client = await worker.connect()
    const id = await client.start('count', [3])
    client.writer.send({ kind: 'credit', id, items: 2 })
    await client.next((message) => message.kind === 'item' && valueOf(message) === 2)
    client.writer.send({ kind: 'credit', id, items: 5 })
    expect(valueOf(await client.answer(id))).toBe('done')
    expect(client.received.filter(({ kind }) => kind === 'item').map(valueOf)).toEqual([1, 2, 3])
  })

  it('send nothing without credit, and close early', async () => {
    await using worker = new TestWorker()
    const client = await worker.connect()
    const id = await client.start('count', [1_000_000])
    client.writer.send({ kind: 'credit', id, items: 2 })
    await client.next((message) => message.kind === 'item' && valueOf(message) === 2)
    client.writer.send({ kind: 'return', id })
    expect(await client.answer(id)).toMatchObject({ kind: 'end' })
    expect(client.received.filter(({ kind }) => kind === 'item')).toHaveLength(2)
    expect(client.logs()).toContain('count closed')
  })

  it('that have not begun end without beginning', async () => {
    await using worker = new TestWorker()
    const client = await worker.connect()
    const blocking = await client.start('untilAborted', [])
    const id = await client.start('count', [3])
    client.writer.send({ kind: 'credit', id, items: 9 })
    client.writer.send({ kind: 'return', id })
    expect(await client.answer(id)).toMatchObject({ kind: 'end' })
    client.cancel(blocking, 10_000)
    await client.answer(blocking)
    expect(client.received.filter(({ kind }) => kind === 'item')).toHaveLength(0)
  })

  it('bring their errors, and those of their items', async () => {
    await using worker = new TestWorker()
    const client = await worker.connect()
    const failing = await client.start('failing', [])
    client.writer.send({ kind: 'credit', id: failing, items: 9 })
    expect(valueOf(await client.answer(failing))).toBeInstanceOf(RangeError)
    const unsendable = await client.start('unsendableItem', [])
    client.writer.send({ kind: 'credit', id: unsendable, items: 9 })
    expect(await client.answer(unsendable)).toMatchObject({ lost: { reason: 'unsendable', path: 'result[1]' } })
  })
})

describe('calls that end their executor', () => {
  const cases = [
    ['exit', [], { reason: 'exit', detail: 'It called process.exit(3).' }],
    ['uncaught', [], { reason: 'crashed', detail: expect.stringMatching(/nobody caught this[^]*functions\.js/) }],
    ['rejection', [], { reason: 'crashed', detail: expect.stringContaining('nobody handled this') }],
  ] as const

  it.each(cases)('by %s: only they are lost', async (name, args, lost) => {
    await using worker = new TestWorker({ environment: { TURBOLIFT_CONCURRENCY: '2' } })
    const client = await worker.connect()
    const other = await client.start('untilAborted', [])
    const id = await client.start(name, args)
    const behind = await Promise.all(Array.from({ length: 20 }, (_, n) => client.start('square', [n])))
    expect(await client.answer(id)).toMatchObject({ lost: { ...lost, started: true } })
    const results = await Promise.all(behind.map((call) => client.answer(call)))
    expect(results.map(valueOf)).toEqual(behind.map((_, n) => n * n))
    client.cancel(other, 10_000)
    expect(valueOf(await client.answer(other))).toMatchObject({ message: 'enough' })
  })

  it('by using all memory', async () => {
    await using worker = new TestWorker({ environment: { TURBOLIFT_EXECUTOR_MEMORY_MB: '40' } })
    const client = await worker.connect()
    expect(await client.call('memory', [])).toMatchObject({ lost: { reason: 'out-of-memory', started: true } })
    expect(valueOf(await client.call('square', [5]))).toBe(25)
  })

  it('by running for longer than they may, however busy', async () => {
    await using worker = new TestWorker()
    const client = await worker.connect()
    const long = await client.start('busy', [60_000], { timeoutMs: 50 })
    const behind = await client.start('square', [6], { timeoutMs: 60_000 })
    expect(await client.answer(long)).toMatchObject({ lost: { reason: 'timeout', started: true } })
    expect(valueOf(await client.answer(behind))).toBe(36)
  })

  it('by ignoring their abort', async () => {
    await using worker = new TestWorker()
    const client = await worker.connect()
    const hanging = await client.start('hang', [])
    const queued = await client.start('square', [1])
    await client.next((message) => message.kind === 'log' && message.log.text === 'hanging')
    client.cancel(queued, 1000)
    expect(await client.answer(queued)).toMatchObject({ lost: { reason: 'aborted', started: false } })
    client.cancel(hanging, 20)
    expect(await client.answer(hanging)).toMatchObject({ lost: { reason: 'aborted', started: true } })
    expect(valueOf(await client.call('square', [8]))).toBe(64)
  })

  it('after they have ended are reported and change nothing', async () => {
    await using worker = new TestWorker()
    const client = await worker.connect()
    expect(valueOf(await client.call('stray', []))).toBe('fine')
    await client.next((message) => message.kind === 'log' && message.log.text.includes('after the call'))
    expect(valueOf(await client.call('square', [9]))).toBe(81)
  })
})

describe('connections', () => {
  const refusals = [
    ['a wrong token', { token: 'wrong' }, 401],
    ['another build', { build: 'other' }, 409],
  ] as const
  it.each(refusals)('of %s are refused', async (_name, handshake, status) => {
    await using worker = new TestWorker()
    await expect(worker.connect(handshake)).rejects.toMatchObject({ name: 'HandshakeError', status })
  })

  it('answer pings while every executor is busy', async () => {
    await using worker = new TestWorker()
    const client = await worker.connect()
    const busy = await client.start('busy', [60_000], { timeoutMs: 59_000 })
    client.writer.send({ kind: 'ping', id: 5 })
    expect(await client.kind('pong')).toEqual({ kind: 'pong', id: 5 })
    client.cancel(busy, 0)
    expect(await client.answer(busy)).toMatchObject({ lost: { reason: 'aborted' } })
  })

  it('that send garbage are closed, and the others go on', async () => {
    await using worker = new TestWorker()
    const good = await worker.connect()
    const bad = await worker.connect()
    bad.socket.write(Buffer.alloc(1000, 0xfe))
    await bad.closed
    expect(valueOf(await good.call('square', [3]))).toBe(9)
  })

  it('that close leave no call behind', async () => {
    await using worker = new TestWorker()
    const gone = await worker.connect()
    await gone.start('hang', [])
    await gone.start('sleep', [60_000])
    gone.socket.destroy()
    const client = await worker.connect()
    expect(valueOf(await client.call('square', [3]))).toBe(9)
  })
})

describe('a worker', () => {
  it('finishes its calls on SIGTERM, runs its stop hooks and exits with 0', async () => {
    await using worker = new TestWorker()
    const client = await worker.connect()
    const id = await client.start('sleep', [300])
    await client.kind('hello')
    const second = await client.start('sleep', [100])
    client.writer.send({ kind: 'ping', id: 1 })
    await client.kind('pong')
    worker.child.kill('SIGTERM')
    await client.kind('draining')
    expect(await client.call('square', [1])).toMatchObject({ lost: { reason: 'draining', started: false } })
    expect(valueOf(await client.answer(id))).toBe('slept')
    expect(valueOf(await client.answer(second))).toBe('slept')
    await client.closed
    expect(client.logs()).toContain('closed what was opened')
    expect(await worker.exited).toBe(0)
  })

  it('exits when its standard input ends', async () => {
    await using worker = new TestWorker({ environment: { TURBOLIFT_LIFELINE: 'stdin' } })
    const client = await worker.connect()
    await client.start('busy', [60_000])
    worker.child.stdin?.end()
    expect(await worker.exited).toBe(0)
  })

  it('reports code that does not load, with its stack, to every program', async () => {
    await using worker = new TestWorker({
      functions: 'export const functions = {}\nthrow new RangeError("at the top")',
    })
    for (const attempt of [1, 2]) {
      const client = await worker.connect()
      const message = await client.kind('failed')
      expect(message.kind === 'failed' ? decodeError(message.value) : attempt).toMatchObject({
        name: 'RangeError',
        message: 'at the top',
        stack: expect.stringContaining('functions.js:2'),
      })
    }
    expect(worker.child.exitCode).toBe(null)
  })

  it('says which variable is missing', async () => {
    await using worker = new TestWorker({ environment: { TURBOLIFT_BUILD: '' } })
    expect(await worker.exited).toBe(1)
    expect(worker.output.join('\n')).toContain('TURBOLIFT_BUILD is not set')
  })
})
