import { describe, expect, test } from 'vitest'

import { createProgram } from './program.ts'
import type { ProgramSource } from './program.ts'

/** What the program and its workers tell each other past their calls. */
const flag = `
  const { existsSync, rmSync, writeFileSync } = process.getBuiltinModule('node:fs')
  const flag = process.env.TMPDIR + '/flag'
  const raise = () => writeFileSync(flag, '')
  const raised = async () => { while (!existsSync(flag)) await new Promise((resolve) => setTimeout(resolve, 5)) }
`
const head = `${flag}
  const liftContext = () => globalThis[Symbol.for('turbolift.context')].current()
  const runs = new Map()
  const count = (n) => { runs.set(n, (runs.get(n) ?? 0) + 1); return runs.get(n) }
`
const functions = `
  square: async (n) => n * n,
  callId: async () => liftContext().callId,
  odd: async (n) => [n, undefined, -0, new Uint8Array([n]), { n }, 'ü', null][n % 7],
  failSome: async (n) => { if (n % 100 === 7) throw Object.assign(new RangeError('no ' + n), { n }); return n },
  tries: async (n) => { const tried = count(n); if (n % 50 === 3 && tried < 3) throw new Error('try ' + tried); return tried },
  unsendableSome: async (n) => n === 5000 ? { inner: [() => 1] } : n,
  exitSome: async (n) => n === 5000 ? process.exit(1) : n,
  slowSome: async (n) => { if (n === 5000) await raised(); return n },
  capturedAdd: (k) => async (n) => n + k,
  openedSome: async (n) => n % 4000 === 500 ? { n, items: (async function* () {
    yield 'first'; await raised(); if (n === 4500) throw new RangeError('no more'); if (n === 8500) process.exit(1); yield 'last'
  })() } : n,
  untilAborted: async (n) => n < 5000 ? n : new Promise((_, reject) => {
    const { signal } = liftContext()
    signal.addEventListener('abort', () => { console.log('aborted ' + n); reject(signal.reason) }); raise()
  }),
`
const setup = `${flag}
  const upTo = (end) => Array.from({ length: end }, (_, n) => n)
  const told = (error) => [error.name, error.code, error.message]
  // So many that the map has learnt how tiny the calls are.
  const many = upTo(20_000)
  await map(square, many)
`

/** What the main program printed as its last line, from JSON, and what else was printed: by workers also after it. */
async function run(main: string, options: ProgramSource['options'] = {}, only = setup) {
  await using program = await createProgram({ functions, head, main: only + main, options })
  const ended = await program.run({ TURBOLIFT_TARGET: 'local', TURBOLIFT_PROGRESS: 'false' })
  expect({ ...ended, leftovers: await program.leftovers() }).toMatchObject({ stderr: '', exitCode: 0, leftovers: [] })
  const lines = ended.stdout.trimEnd().split('\n')
  const last = lines.findLastIndex((line) => !line.startsWith('[worker'))
  return { result: JSON.parse(lines[last] ?? ''), printed: lines.toSpliced(last, 1) }
}

describe('tiny calls of a map', () => {
  test('travel together, each with a context of its own', async () => {
    const main = `
      const ids = await map(callId, many)
      console.log(JSON.stringify([new Set(ids).size, ids.some((id) => /\\.\\d+\\.\\d+$/.test(id))]))`
    expect((await run(main, { maxReplicas: 2 })).result).toEqual([20_000, true])
  })

  test('give their results in order, whatever they are', async () => {
    const main = `
      import { isDeepStrictEqual } from 'node:util'
      const results = await map(odd, many)
      const expected = (n) => [n, undefined, -0, new Uint8Array([n]), { n }, 'ü', null][n % 7]
      captures = [1000]
      const added = await map(capturedAdd, many)
      console.log(JSON.stringify([results.length, results.every((result, n) => isDeepStrictEqual(result, expected(n))),
        added.every((sum, n) => sum === n + 1000)]))`
    expect((await run(main)).result).toEqual([20_000, true, true])
  })

  test('fail one by one, with their own errors, and run once', async () => {
    const main = `
      const outcomes = await map(failSome, many, { onError: 'return' })
      const failed = outcomes.filter(({ status }) => status === 'rejected')
      const [first] = failed
      console.log(JSON.stringify([outcomes.length, failed.length, first.index, first.reason instanceof RangeError,
        first.reason.n, failed.every(({ index, reason }) => reason.n === index)]))`
    expect((await run(main)).result).toEqual([20_000, 200, 7, true, 7, true])
  })

  test('end with the first error, on one worker that of the first input', async () => {
    const main = 'console.log(JSON.stringify(await map(failSome, many).catch(told)))'
    expect((await run(main, { maxReplicas: 1 })).result).toEqual(['RangeError', null, 'no 7'])
  })

  test('are tried again one by one, as often as they may be', async () => {
    const main = `
      const results = await map(tries, many, { retries: 2, retryDelayMs: 1 })
      console.log(JSON.stringify(results.every((tried, n) => tried === (n % 50 === 3 ? 3 : 1))))`
    expect((await run(main, { maxReplicas: 1 })).result).toBe(true)
  })

  test('whose result cannot be sent are named, and no others', async () => {
    const main = `
      const outcomes = await map(unsendableSome, many, { onError: 'return' })
      const [failed, ...none] = outcomes.filter(({ status }) => status === 'rejected')
      console.log(JSON.stringify([failed.index, told(failed.reason), none, outcomes[4999].value, outcomes[5001].value]))`
    expect((await run(main)).result).toEqual([
      5000,
      ['TransferError', 'RESULT_UNSENDABLE', expect.stringContaining('result.inner[0]')],
      [],
      4999,
      5001,
    ])
  })

  test('that end their worker each time are given up alone', async () => {
    const main = `
      const outcomes = await map(exitSome, many, { onError: 'return' })
      const [failed, ...none] = outcomes.filter(({ status }) => status === 'rejected')
      const right = outcomes.filter(({ status, value, index }) => status === 'fulfilled' && value === index).length
      console.log(JSON.stringify([failed.index, told(failed.reason), none, right]))`
    expect((await run(main)).result).toEqual([
      5000,
      ['WorkerLostError', 'WORKER_LOST', expect.stringMatching(/"exitSome" was given up.*3 tries/s)],
      [],
      19_999,
    ])
  })

  test('that wait behind a slow one are made elsewhere', async () => {
    const main = `
      let [slowAt, doneBefore] = [0, 0]
      for await (const n of map(slowSome, many, { ordered: false })) {
        if (n === 5000) slowAt = doneBefore
        doneBefore += 1
        if (doneBefore === 19_000) raise()
      }
      rmSync(flag)
      console.log(JSON.stringify([doneBefore, slowAt >= 19_000]))`
    expect((await run(main, { maxReplicas: 2 })).result).toEqual([20_000, true])
  })

  test('end when nobody wants them any more', async () => {
    const main = `
      const controller = new AbortController()
      const aborted = map(untilAborted, many, { signal: controller.signal }).catch((error) => error.message)
      await raised()
      controller.abort(new Error('enough'))
      console.log(await aborted)
      let read = 0
      for await (const n of map(untilAborted, many)) if ((read += 1) === 4000) break
      const after = await map(square, [3])
      rmSync(flag)
      console.log(JSON.stringify([read, after]))`
    const { result, printed } = await run(main, { maxReplicas: 1 })
    expect(result).toEqual([4000, [9]])
    expect(printed).toContain('enough')
    expect(printed.filter((line) => line.includes('aborted 5000')).length).toBeGreaterThan(0)
  })

  test('are told of one by one to those who listen', async () => {
    const main = `
      let heard = 0
      turbolift.on('call:done', () => heard += 1)
      await map(square, many)
      console.log(JSON.stringify(heard))`
    expect((await run(main)).result).toBe(20_000)
  })

  test('are as many at a time as the user says', async () => {
    const main = `
      let [read, taken, most] = [0, 0, 0]
      const inputs = function* () { for (const n of many) { read += 1; most = Math.max(most, read - taken); yield n } }
      for await (const _ of map(square, inputs(), { concurrency: 10 })) taken += 1
      console.log(JSON.stringify([taken, most <= 50]))`
    expect((await run(main)).result).toEqual([20_000, true])
  })
})

describe('tiny calls of one tick', () => {
  /** Makes each call by itself, so many at a time. */
  const lanes = `${setup}
    const each = async (fn, inFlight = 64) => {
      const outcomes = []
      let next = 0
      const lane = async () => {
        while (next < many.length) {
          const n = next++
          await fn(n).then((value) => { outcomes[n] = value }, (error) => { outcomes[n] = error })
        }
      }
      await Promise.all(Array.from({ length: inFlight }, lane))
      return outcomes
    }
  `
  const runLanes = (main: string, options?: ProgramSource['options']) => run(main, options, lanes)

  test('travel together', async () => {
    const main = `
      const ids = await each(callId)
      const single = new Set((await each(callId, 1)).map((id) => id.split('.').length))
      const batches = new Set(ids.map((id) => id.split('.').slice(0, 2).join('.')))
      console.log(JSON.stringify([ids.length, new Set(ids).size, batches.size < 5000, [...single]]))`
    expect((await runLanes(main, { maxReplicas: 2 })).result).toEqual([20_000, 20_000, true, [2]])
  })

  test('give results and errors of their own', async () => {
    const main = `
      import { isDeepStrictEqual } from 'node:util'
      const expected = (n) => [n, undefined, -0, new Uint8Array([n]), { n }, 'ü', null][n % 7]
      const results = await each(odd)
      const tried = await each(failSome)
      const failed = tried.filter((outcome) => outcome instanceof RangeError)
      console.log(JSON.stringify([results.every((result, n) => isDeepStrictEqual(result, expected(n))), failed.length,
        failed.every(({ n }) => tried[n]?.n === n), failed[0].stack.includes('main.mjs')]))`
    expect((await runLanes(main)).result).toEqual([true, 200, true, true])
  })

  test('may give streams, each to its caller while it goes on', async () => {
    const main = `
      const streams = []
      const results = await each(async (n) => {
        const result = await openedSome(n)
        if (typeof result === 'number') return result
        const iterator = result.items[Symbol.asyncIterator]()
        streams.push([result.n, (await iterator.next()).value, iterator])
        return result.n
      })
      raise()
      const ends = []
      for (const [n, first, iterator] of streams) {
        const last = await iterator.next().then(({ value }) => value, (error) => error.code ?? error.message)
        ends.push([n, first, last])
      }
      rmSync(flag)
      console.log(JSON.stringify([results.every((result, n) => result === n), ends]))`
    // An open stream holds its executor.
    const { result } = await runLanes(main, { maxReplicas: 1, concurrency: 8 })
    expect(result).toEqual([
      true,
      [
        [500, 'first', 'last'],
        [4500, 'first', 'no more'],
        [8500, 'first', 'WORKER_LOST'],
        [12_500, 'first', 'last'],
        [16_500, 'first', 'last'],
      ],
    ])
  })

  test('are given up alone when one ends its worker each time', async () => {
    const main = `
      const results = await each(exitSome)
      const wrong = results.map((result, n) => [n, result]).filter(([n, result]) => n !== result)
      console.log(JSON.stringify(wrong.map(([n, error]) => [n, error.code])))`
    expect((await runLanes(main)).result).toEqual([[5000, 'WORKER_LOST']])
  })

  test('all end when the signal of their function is aborted', async () => {
    const main = `
      const controller = new AbortController()
      const withSignal = lift(untilAborted, { signal: controller.signal })
      setTimeout(() => raised().then(() => controller.abort(new Error('enough'))))
      const results = await each(withSignal)
      rmSync(flag)
      const aborted = results.filter((result) => result instanceof Error && result.message === 'enough').length
      console.log(JSON.stringify([results.slice(0, 4000).every((result, n) => result === n), aborted >= 15_000,
        await square(3)]))`
    expect((await runLanes(main)).result).toEqual([true, true, 9])
  })
})
