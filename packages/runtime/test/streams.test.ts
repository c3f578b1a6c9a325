import { describe, expect, test } from 'vitest'

import { createProgram } from './program.ts'
import type { ProgramSource } from './program.ts'

const functions = `
  pid: async () => process.pid,
  sizeOf: async (stream) => { let size = 0; for await (const chunk of stream) size += chunk.length; return size },
  sum: async ({ numbers, factor = 1 }) => { let sum = 0; for await (const n of numbers) sum += n * factor; return sum },
  sumBoth: async (a, b) => { let sum = 0; for await (const n of a) sum += n + (await b.next()).value; return sum },
  first: async (numbers, count) => { const read = []; for await (const n of numbers) if (read.push(n) === count) break; return read },
  neverRead: async (numbers, value) => value,
  readThenDie: async (numbers) => { await numbers.next(); process.kill(process.pid, 'SIGKILL') },
  dieOnce: async (numbers, worker) => { if (process.pid === worker) process.kill(worker, 'SIGKILL'); return (await numbers.next()).value },
  failThenAgain: async (numbers) => { await numbers.next(); throw new Error('once more') },
  zeros: async (size) => new Blob([new Uint8Array(size)]).stream(),
  table: async (rows) => ({ rows, cells: upTo(rows), name: 'table' }),
  doubled: async (numbers) => (async function* () { for await (const n of numbers) yield 2 * n })(),
  upperCase: async (text) => text.pipeThrough(new TransformStream({ transform(chunk, controller) { controller.enqueue(Buffer.from(chunk).toString().toUpperCase()) } })),
  passOn: async (stream) => stream,
  torn: async () => (async function* () { yield 1; throw new RangeError('torn') })(),
  odd: async () => (async function* () { yield { inner: [() => 1] } })(),
  endless: async () => upTo(Infinity),
  async *streamUpTo(end) { for (let n = 0; n < end; n += 1) yield n },
  silent: async () => new ReadableStream({ cancel(reason) { console.log('cancelled: ' + reason?.message) } }),
`
const upTo = `
  async function* upTo(end) { try { for (let n = 0; n < end; n += 1) yield n } finally { console.log('closed') } }
`
const setup = `
  ${upTo}
  async function all(items) { const read = []; for await (const item of items) read.push(item); return read }
  const told = (error) => [error.name, error.code, error.message]
`

interface Ended {
  /** What the main program printed as its last line, from JSON. */
  readonly result: unknown
  readonly printed: string
}

async function run(main: string, target: string, options: ProgramSource['options'] = {}): Promise<Ended> {
  await using program = await createProgram({ functions, head: upTo, main: setup + main, options })
  const ended = await program.run({ TURBOLIFT_TARGET: target })
  expect({ ...ended, leftovers: await program.leftovers() }).toMatchObject({ stderr: '', exitCode: 0, leftovers: [] })
  const lines = ended.stdout.trimEnd().split('\n')
  return { result: JSON.parse(lines.at(-1) ?? ''), printed: lines.slice(0, -1).join('\n') }
}

describe.each(['local', 'inline'])('%s', (target) => {
  test('streams of bytes go both ways', async () => {
    const main = `
      const sizes = [await sizeOf(new Blob([new Uint8Array(300_000)]).stream()), await sizeOf(await zeros(200_000))]
      const text = await new Response((await upperCase(new Blob(['shout']).stream())).pipeThrough(new TextEncoderStream())).text()
      console.log(JSON.stringify([...sizes, text]))`
    expect((await run(main, target)).result).toEqual([300_000, 200_000, 'SHOUT'])
  })

  test('async iterables go both ways, inside of other values, several at a time', async () => {
    const main = `
      const { rows, cells, name } = await table(3)
      const both = await sumBoth(upTo(4), upTo(4))
      console.log(JSON.stringify([rows, name, await all(cells), await sum({ numbers: upTo(5), factor: 10 }), both, await all(await doubled(upTo(100)))]))`
    expect((await run(main, target)).result).toEqual([
      3,
      'table',
      [0, 1, 2],
      100,
      12,
      Array.from({ length: 100 }, (_, n) => 2 * n),
    ])
  })

  test('streams of Node are arguments', async () => {
    const main = `
      import { createReadStream, statSync } from 'node:fs'
      console.log(JSON.stringify((await sizeOf(createReadStream(process.execPath, { end: 2 ** 22 - 1 }))) === 2 ** 22))`
    expect((await run(main, target)).result).toBe(true)
  })

  test('a stream is read only as fast as the other side takes it, and told when nobody wants more', async () => {
    const main = `
      let [made, cancelled] = [0, undefined]
      const source = new ReadableStream({ pull(controller) { controller.enqueue(made += 1) }, cancel() { cancelled = made } })
      const read = await first(source, 3)
      const kept = await endless()
      const taken = [(await kept.next()).value, (await kept.next()).value]
      await kept.return()
      console.log(JSON.stringify([read, cancelled < 30, taken, (await kept.next()).done]))`
    const { result, printed } = await run(main, target)
    expect(result).toEqual([[1, 2, 3], true, [0, 1], true])
    expect(printed).toContain('closed')
  })

  test('what a stream fails with reaches who reads it', async () => {
    const main = `
      async function* failing() { yield 1; throw new RangeError('torn here') }
      async function* unsendable() { yield 1; yield { inner: [() => 1] } }
      const answers = [await sum({ numbers: failing() }).catch(told), await sum({ numbers: unsendable() }).catch(told)]
      console.log(JSON.stringify([...answers, await all(await torn()).catch(told), await all(await odd()).catch(told)]))`
    expect((await run(main, target)).result).toEqual([
      ['RangeError', null, 'torn here'],
      ['UnsendableValueError', 'REMOTE_ERROR', 'item[1].inner[0] cannot be sent: it is a function.'],
      ['RangeError', null, 'torn'],
      ['UnsendableValueError', 'REMOTE_ERROR', 'item[0].inner[0] cannot be sent: it is a function.'],
    ])
  })

  test('files that nobody reads are closed when their calls are over', async () => {
    const main = `
      const { createReadStream } = await import('node:fs')
      const files = [1, 2, 3].map(() => createReadStream(process.argv[1]))
      for (const file of files) await neverRead(file, 1)
      await Promise.all(files.map((file) => file.closed || new Promise((resolve) => file.once('close', resolve))))
      console.log(JSON.stringify(files.map((file) => file.closed)))`
    expect((await run(main, target)).result).toEqual([true, true, true])
  })

  test('a generator takes no values by next(value), and says so', async () => {
    const main = `
      const numbers = streamUpTo(3)
      const steps = [await numbers.next(5), await numbers.next(), await numbers.next(5).catch(told), await numbers.next()]
      const left = streamUpTo(Infinity)
      await left.next()
      const ends = [await left.return('end'), await left.next(), await streamUpTo(3).throw(new Error('no')).catch(told)]
      console.log(JSON.stringify([steps.map((step) => step.value ?? step[1]), ends.map((end) => end.value ?? end[2])]))`
    expect((await run(main, target)).result).toEqual([
      [0, 1, 'GENERATOR_TOLD', null],
      ['end', null, 'no'],
    ])
  })

  test('a generator that is dropped does not keep the program from ending', async () => {
    const main = `
      const numbers = streamUpTo(Infinity)
      await numbers.next()
      globalThis.kept = numbers
      console.log(JSON.stringify('end'))`
    expect((await run(main, target)).result).toBe('end')
  })

  test('a stream has one reader', async () => {
    const main = `
      const stream = new Blob(['abc']).stream()
      const answers = await Promise.allSettled([sizeOf(stream), sizeOf(stream)])
      console.log(JSON.stringify(answers.map(({ value, reason }) => value ?? told(reason))))`
    expect((await run(main, target)).result).toEqual([
      3,
      ['TransferError', 'ARGUMENT_UNSENDABLE', expect.stringContaining('somebody reads already')],
    ])
  })

  test('a signal ends a call whose streams are still being read, and the streams', async () => {
    const main = `
      const cancelled = []
      const waiting = () => new ReadableStream({ cancel(reason) { cancelled.push(reason.message) } })
      const controller = new AbortController()
      const during = lift(sizeOf, { signal: controller.signal })(waiting()).catch((error) => error.message)
      const results = await lift(endless, { signal: controller.signal })()
      await results.next()
      controller.abort(new Error('enough'))
      const before = lift(sizeOf, { signal: AbortSignal.abort(new Error('early')) })(waiting()).catch((error) => error.message)
      console.log(JSON.stringify([await during, await before, cancelled, await all(results).catch((error) => error.message)]))`
    const { result } = await run(main, target, { maxReplicas: 2 })
    expect(result).toEqual(['enough', 'early', ['enough', 'early'], 'enough'])
  })

  test('a result that nobody reads does not keep the program from ending', async () => {
    const main = `
      const unread = await endless()
      console.log(JSON.stringify(typeof unread.next))`
    expect((await run(main, target)).result).toBe('function')
  })

  test('a result that is cancelled while it is read, or before, frees its worker', async () => {
    const main = `
      const before = await silent()
      await before.cancel(new Error('before'))
      const during = (await silent()).getReader()
      const read = during.read()
      await during.cancel(new Error('during'))
      console.log(JSON.stringify([(await read).done, await sum({ numbers: upTo(3) })]))`
    const { result, printed } = await run(main, target, { maxReplicas: 1 })
    expect(result).toEqual([true, 3])
    expect(printed).toContain('cancelled: before')
    expect(printed).toContain('cancelled: during')
  })

  test('in a map streams of bytes are read before, and other streams are refused', async () => {
    const main = `
      const sizes = await map(sizeOf, [new Blob(['abc']).stream(), new Blob(['de']).stream()])
      const made = await map(zeros, [7])
      const objects = new ReadableStream({ pull(controller) { controller.enqueue({}) } })
      const answers = [map(sizeOf, [upTo(3)]), map(endless, [1]), map(sizeOf, [objects])]
      console.log(JSON.stringify([sizes, await sizeOf(made[0]), ...(await Promise.all(answers.map((answer) => answer.catch(told))))]))`
    expect((await run(main, target)).result).toEqual([
      [3, 2],
      7,
      ['TransferError', 'ARGUMENT_UNSENDABLE', expect.stringContaining('an async iterable')],
      ['TransferError', 'RESULT_UNSENDABLE', expect.stringContaining('an async iterable')],
      ['TransferError', 'ARGUMENT_UNSENDABLE', expect.stringContaining('other values than bytes')],
    ])
  })

  test('a call is tried again only as long as nothing of its streams was read', async () => {
    const main = `
      let made = 0
      async function* counted() { for (;;) yield (made += 1) }
      const failed = await lift(failThenAgain, { retries: 3 })(counted()).catch((error) => error.message)
      const readBy = made
      console.log(JSON.stringify([failed, readBy > 0 && readBy < 30, await neverRead(counted(), 'unread'), made === readBy]))`
    expect((await run(main, target)).result).toEqual(['once more', true, 'unread', true])
  })
})

describe('local', () => {
  test('a worker that is lost takes the streams with it that were being read', async () => {
    const main = `
      const untouched = await dieOnce(upTo(3), await pid())
      const consumed = await readThenDie(upTo(Infinity)).catch(told)
      const worker = await pid()
      const results = await endless()
      await results.next()
      process.kill(worker, 'SIGKILL')
      console.log(JSON.stringify([untouched, consumed, await all(results).catch(told)]))`
    const { result } = await run(main, 'local', { maxReplicas: 1 })
    expect(result).toEqual([
      0,
      ['WorkerLostError', 'WORKER_LOST', expect.stringContaining('SIGKILL')],
      ['WorkerLostError', 'WORKER_LOST', expect.stringContaining('SIGKILL')],
    ])
  })

  test('a gigabyte goes through in the memory of some chunks', async () => {
    const main = `
      let left = 1024
      const source = new ReadableStream({ pull(controller) { if ((left -= 1) < 0) controller.close(); else controller.enqueue(new Uint8Array(2 ** 20)) } })
      const before = process.memoryUsage().rss
      let [size, most] = [0, 0]
      for await (const chunk of await passOn(source)) {
        size += chunk.length
        most = Math.max(most, process.memoryUsage().rss - before)
      }
      console.log(JSON.stringify([size, most < 2 ** 28]))`
    expect((await run(main, 'local', { maxReplicas: 1 })).result).toEqual([2 ** 30, true])
  })
})

test('what is dropped unread gives its place in the worker back', async () => {
  const main = `
    async function drop() {
      await streamUpTo(Infinity).next()
      await endless()
    }
    await drop()
    console.log(JSON.stringify(await neverRead(undefined, 'next')))`
  expect((await run(main, 'local', { maxReplicas: 1 })).result).toBe('next')
})
