import { describe, expect, test } from 'vitest'

import { createProgram } from './program.ts'
import type { ProgramSource } from './program.ts'

/** Runs a program to its end and looks for what it left behind. */
async function run(source: ProgramSource, environment: Readonly<Record<string, string>> = {}) {
  await using program = await createProgram(source)
  const ended = await program.run(environment)
  return { ...ended, leftovers: await program.leftovers() }
}

/** What the main program printed as its last line, from JSON. */
async function result(source: ProgramSource, environment?: Readonly<Record<string, string>>): Promise<unknown> {
  const ended = await run(source, environment)
  expect(ended).toMatchObject({ stderr: '', exitCode: 0, leftovers: [] })
  return JSON.parse(ended.stdout)
}

const collector = `
  import { setFlagsFromString } from 'node:v8'
  import { runInNewContext } from 'node:vm'
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
`

const functions = `
  square: async (n) => n * n,
  echo: async (value) => value,
  fail: async (message) => { throw Object.assign(new RangeError(message), { detail: 7 }) },
  count: async () => globalThis.calls = (globalThis.calls ?? 0) + 1,
  die: async () => process.kill(process.pid, 'SIGKILL'),
  leave: async () => process.exit(3),
  hang: async () => { for (;;); },
  wait: async (ms) => new Promise((resolve) => setTimeout(resolve, ms, ms)),
  pid: async () => process.pid,
  capturedAdd: (k, j) => async (n) => n + k + j,
  untilAborted: async ({ signal }, ms) => new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => ms === undefined ? resolve(signal.reason.message) : setTimeout(reject, ms, signal.reason))
  }),
  sizeOf: async (stream) => { let size = 0; for await (const chunk of stream) size += chunk.length; return size },
  at: async (table, { index }) => [table[index], table === (globalThis.table ??= table), table.length],
  capturedAt: (table) => async (index) => table.get(index),
  hold: async (value, name) => { held[name] = new WeakRef(value); return value[0] },
  isGone: async (name) => { await new Promise((resolve) => setImmediate(resolve)); collect(); return held[name].deref() === undefined },
  bytes: async (size) => new Uint8Array(size),
  say: async (text) => console.log(text),
  async *streamUpTo(n) { try { for (let i = 0; i < n; i += 1) yield i } finally { console.log('closed') } },
`

describe.each(['local', 'inline'])('%s', (target) => {
  const environment = { TURBOLIFT_TARGET: target }

  test('calls return results', async () => {
    const main = `console.log(JSON.stringify(await Promise.all([1, 2, 3].map((n) => square(n)))))`
    expect(await result({ functions, main }, environment)).toEqual([1, 4, 9])
  })

  test('values arrive as they left', async () => {
    const main = `
      import { isDeepStrictEqual } from 'node:util'
      const shared = { name: 'shared' }
      const cyclic = { shared, again: shared }
      cyclic.self = cyclic
      const value = [new Date(0), new Map([[1, new Set(['a'])]]), 10n ** 30n, /x/gi, new URL('http://a/b'),
        new Uint8Array([1, 2, 3]), new Float64Array(1000).fill(0.5), undefined, -0, NaN, Infinity, cyclic, 'ü', null]
      const back = await echo(value)
      console.log(JSON.stringify([isDeepStrictEqual(back, value), back[11].shared === back[11].again, back[11] !== cyclic]))`
    expect(await result({ functions, main }, environment)).toEqual([true, true, true])
  })

  test('captures are read at each call', async () => {
    const main = `
      captures = [10, 100]
      const first = capturedAdd(1)
      captures = [20, 200]
      console.log(JSON.stringify([await first, await capturedAdd(1)]))`
    expect(await result({ functions, main }, environment)).toEqual([111, 221])
  })

  test('an error has its class, message, own fields and the stacks of both sides', async () => {
    const main = `
      async function caller() { return await fail('too far') }
      const error = await caller().catch((thrown) => thrown)
      console.log(JSON.stringify([error instanceof RangeError, error.message, error.detail, error.stack]))`
    const [isRange, message, detail, stack] = (await result({ functions, main }, environment)) as unknown[]
    expect([isRange, message, detail]).toEqual([true, 'too far', 7])
    expect(stack).toMatch(/RangeError: too far\n[\s\S]*functions\.js:\d+[\s\S]*at async caller .*main\.mjs/)
  })

  test('the first argument that cannot be sent is named with its path', async () => {
    const main = `
      const error = await echo({ options: { onDone: () => 1 } }).catch((thrown) => thrown)
      console.log(JSON.stringify([error.name, error.code, error.message]))`
    expect(await result({ functions, main }, environment)).toEqual([
      'TransferError',
      'ARGUMENT_UNSENDABLE',
      expect.stringContaining('arguments[0].options.onDone'),
    ])
  })

  test('a captured value that cannot be sent is named', async () => {
    const main = `
      captures = { factor: 2, options: { onDone: () => 1 } }
      const error = await capturedAdd(1).catch((thrown) => thrown)
      console.log(JSON.stringify([error.code, error.message]))`
    expect(await result({ functions, main }, environment)).toEqual([
      'ARGUMENT_UNSENDABLE',
      expect.stringContaining('options.onDone, which the function captures, is a function.'),
    ])
  })

  test('a result that cannot be sent is named with its path', async () => {
    const source = {
      functions: `odd: async () => ({ inner: [() => 1] }),`,
      main: `await odd().catch((error) => console.log(JSON.stringify([error.code, error.message])))`,
    }
    expect(await result(source, environment)).toEqual(['RESULT_UNSENDABLE', expect.stringContaining('result.inner[0]')])
  })

  test('streams come one by one, and an early end reaches the generator', async () => {
    const main = `
      const all = []
      for await (const n of streamUpTo(100)) all.push(n)
      const some = []
      for await (const n of streamUpTo(1e9)) if (some.push(n) === 3) break
      console.log(JSON.stringify([all.length, all[99], some]))`
    const ended = await run({ functions, main }, environment)
    expect(ended).toMatchObject({ stderr: '', exitCode: 0, leftovers: [] })
    expect(ended.stdout.match(/closed/g)).toHaveLength(2)
    expect(ended.stdout).toContain('[100,99,[0,1,2]]')
  })

  test('a signal ends a call, before and during it', async () => {
    const main = `
      const before = await lift(wait, { signal: AbortSignal.abort(new Error('early')) })(1).catch((error) => error.message)
      const during = await lift(wait, { signal: AbortSignal.timeout(50) })(1e8).catch((error) => error.name)
      console.log(JSON.stringify([before, during]))
      process.exit()`
    expect(await result({ functions, main }, environment)).toEqual(['early', 'TimeoutError'])
  })

  test('a signal among the arguments aborts the function, which decides how the call ends', async () => {
    const main = `
      const soft = new AbortController()
      const softly = untilAborted({ signal: soft.signal })
      const hard = new AbortController()
      const harder = untilAborted({ signal: hard.signal }, 1).catch((error) => 'rejected ' + error.message)
      await square(1)
      setTimeout(() => { soft.abort(new Error('soft')); hard.abort(new Error('hard')) }, 300)
      const before = await untilAborted({ signal: AbortSignal.abort(new Error('before')) }).catch((error) => error.message)
      console.log(JSON.stringify([await softly, await harder, before]))`
    expect(await result({ functions, main, options: { maxReplicas: 3 } }, environment)).toEqual([
      'soft',
      'rejected hard',
      'before',
    ])
  })

  test('a shared value arrives once, as it was when it was shared', async () => {
    const main = `
      const table = turbolift.shared(new Uint32Array(100_000).fill(7))
      table[5] = 8
      const results = await starmap(at, Array.from({ length: 50 }, (_, index) => [table, { index }]))
      captures = [turbolift.shared(new Map([[1, 'one']]))]
      const small = turbolift.shared(['a', 'b'])
      console.log(JSON.stringify([results.every(([item, isSame, length]) => item === 7 && isSame && length === 100_000),
        await capturedAt(1), (await at(small, { index: 1 }))[0]]))`
    expect(await result({ functions, main, options: { maxReplicas: 1 } }, environment)).toEqual([true, 'one', 'b'])
  })

  test('workers let go of a shared value that the program has let go of', async () => {
    const main = `
      ${collector}
      const kept = turbolift.shared(['kept'])
      const twin = turbolift.shared(['twin'])
      const shareAndForget = async (value) => hold(turbolift.shared(value), value[0])
      await Promise.all([hold(kept, 'kept'), hold(twin, 'twin'), shareAndForget(['gone']), shareAndForget(['twin'])])
      while (!(await isGone('gone'))) {
        collect()
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      const others = [await isGone('kept'), await isGone('twin')]
      const again = await shareAndForget(['gone'])
      console.log(JSON.stringify([...others, again, kept.length, twin.length]))`
    const head = `${collector}\nconst held = {}`
    expect(await result({ head, functions, main, options: { maxReplicas: 1 } }, environment)).toEqual([
      false,
      false,
      'gone',
      1,
      1,
    ])
  })

  test('arguments and results that are too large are refused, and other calls are not disturbed', async () => {
    const main = `
      const told = (error) => [error.name, error.code, /limit is \\d+ bytes/.test(error.message)]
      const limit = 256 * 1024 ** 2
      let pulled = 0
      const chunk = new Uint8Array(limit / 8)
      const endless = new ReadableStream({ pull(controller) { pulled += 1; controller.enqueue(chunk) } })
      const slow = wait(300)
      const whole = turbolift.map(sizeOf, [endless]).catch(told)
      const answers = [await echo(new Uint8Array(limit)).catch(told), await bytes(limit).catch(told), await whole]
      console.log(JSON.stringify([...answers, pulled < 12, await slow]))`
    expect(await result({ functions, main }, environment)).toEqual([
      ['TransferError', 'CALL_TOO_LARGE', true],
      ['TransferError', 'RESULT_UNSENDABLE', true],
      ['TransferError', 'CALL_TOO_LARGE', true],
      true,
      300,
    ])
  })

  test('a rejection that nobody handles ends the program as it does without lifting', async () => {
    const ended = await run({ functions, main: `fail('unheard')` }, environment)
    expect(ended).toMatchObject({ exitCode: 1, leftovers: [] })
    expect(ended.stderr).toContain('RangeError: unheard')
  })

  test('a call that nobody awaits is still made', async () => {
    const ended = await run({ functions, main: `say('said')` }, environment)
    expect(ended).toMatchObject({ exitCode: 0, stderr: '', leftovers: [] })
    expect(ended.stdout).toContain('said')
  })

  test('the exit code is that of the program', async () => {
    expect(await run({ functions, main: `await square(1); process.exitCode = 7` }, environment)).toMatchObject({
      exitCode: 7,
      leftovers: [],
    })
    expect(await run({ functions, main: `await square(1); process.exit(8)` }, environment)).toMatchObject({
      exitCode: 8,
      leftovers: [],
    })
    expect(await run({ functions, main: `await square(1); throw new Error('x')` }, environment)).toMatchObject({
      exitCode: 1,
      leftovers: [],
    })
  })

  test('the proxy has the name and length of the function', async () => {
    const main = `console.log(JSON.stringify([square.name, square.length, square.constructor.name]))`
    expect(await result({ functions, main }, environment)).toEqual(['square', 1, 'AsyncFunction'])
  })
})

describe('local', () => {
  test('starts no more workers than the load asks for, and no more than allowed', async () => {
    const main = `
      const one = await pid()
      const many = new Set(await Promise.all(Array.from({ length: 40 }, async () => { await wait(20); return pid() })))
      console.log(JSON.stringify([one !== process.pid, many.has(one), many.size <= 3]))`
    expect(await result({ functions, main, options: { maxReplicas: 3 } })).toEqual([true, true, true])
  })

  test('a worker that is killed in mid-call is replaced, and its calls are made again', async () => {
    const main = `
      const calls = Array.from({ length: 200 }, (_, n) => n % 20 === 7 ? wait(30).then(() => n) : square(n))
      const victim = await pid()
      process.kill(victim, 'SIGKILL')
      const results = await Promise.all(calls)
      console.log(JSON.stringify([results.length, results[3], results[199], (await pid()) !== victim]))`
    expect(await result({ functions, main, options: { maxReplicas: 1 } })).toEqual([200, 9, 39601, true])
  })

  test('a call that kills each worker is given up after three tries, and only that one', async () => {
    const main = `
      const outcomes = await Promise.allSettled([square(2), die(), ...Array.from({ length: 50 }, (_, n) => square(n))])
      const [first, dead, ...rest] = outcomes
      console.log(JSON.stringify([first.value, dead.reason.code, dead.reason.message, dead.reason.cause.code, rest.every((r, n) => r.value === n * n)]))`
    expect(await result({ functions, main })).toEqual([
      4,
      'WORKER_LOST',
      expect.stringMatching(/"die" was given up.*3 tries.*SIGKILL/s),
      'WORKER_EXITED',
      true,
    ])
  })

  test('process.exit() in a function is given up after three tries', async () => {
    const main = `await leave().catch((error) => console.log(JSON.stringify([error.code, error.message])))`
    expect(await result({ functions, main })).toEqual(['WORKER_LOST', expect.stringContaining('process.exit()')])
  })

  test('a shared value is there again when its worker or executor was replaced', async () => {
    const main = `
      const table = turbolift.shared(Array.from({ length: 1000 }, (_, n) => n))
      const before = await at(table, { index: 3 })
      process.kill(await pid(), 'SIGKILL')
      const after = await at(table, { index: 4 })
      await lift(hang, { timeoutMs: 50 })().catch(() => undefined)
      const last = await at(table, { index: 5 })
      console.log(JSON.stringify([before[0], after[0], last[0]]))`
    expect(await result({ functions, main, options: { maxReplicas: 1 } })).toEqual([3, 4, 5])
  })

  test('a busy loop is ended by timeoutMs, and its worker serves on', async () => {
    const main = `
      const error = await lift(hang, { timeoutMs: 100 })().catch((thrown) => thrown)
      console.log(JSON.stringify([error.name, error.code, await square(3)]))`
    expect(await result({ functions, main, options: { maxReplicas: 1 } })).toEqual([
      'CallTimeoutError',
      'CALL_TIMEOUT',
      9,
    ])
  })

  test('what workers print is labelled, in whole lines, in front of the result', async () => {
    const main = `await Promise.all([say('one\\ntwo'), say('three')]); console.log('end')`
    const ended = await run({ functions, main, options: { maxReplicas: 1 } })
    expect(ended.stdout).toBe('[worker 1] one\n[worker 1] two\n[worker 1] three\nend\n')
    const raw = await run({ functions, main, options: { maxReplicas: 1, workerOutput: 'raw' } })
    expect(raw.stdout).toBe('one\ntwo\nthree\nend\n')
    const none = await run({ functions, main, options: { maxReplicas: 1, workerOutput: 'none' } })
    expect(none.stdout).toBe('end\n')
  })

  test('idle workers are stopped', async () => {
    const main = `
      import { existsSync } from 'node:fs'
      const first = await pid()
      while (existsSync('/proc/' + first)) await new Promise((resolve) => setTimeout(resolve, 10))
      console.log(JSON.stringify((await pid()) !== first))`
    const source = { functions, main, options: { idleTimeoutMs: 50 } }
    if (process.platform === 'linux') expect(await result(source)).toBe(true)
  })

  test('tiny calls that were sent ahead do not wait for a slow one while another worker is idle', async () => {
    const main = `
      for (let turn = 0; turn < 50; turn += 1) await Promise.all(Array.from({ length: 64 }, (_, n) => square(n)))
      const slow = wait(3000).then(() => performance.now())
      const held = lift(hang, { timeoutMs: 3000 })().catch(() => performance.now())
      const rest = Promise.all(Array.from({ length: 100 }, (_, n) => square(n))).then(() => performance.now())
      const [endOfSlow, endOfRest] = await Promise.all([Promise.race([slow, held]), rest])
      console.log(JSON.stringify(endOfRest < endOfSlow))
      await Promise.all([slow, held])`
    expect(await result({ functions, main, options: { maxReplicas: 3 } })).toBe(true)
  })

  test('a queue that is full refuses calls', async () => {
    const main = `
      const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => square(n)))
      console.log(JSON.stringify([outcomes[0].value, outcomes[19].reason?.code]))`
    expect(await result({ functions, main, options: { maxQueuedCalls: 10 } })).toEqual([0, 'QUEUE_FULL'])
  })

  test('a damaged bundle is told so at the first call', async () => {
    const main = `
      manifest.hash = 'a'.repeat(64)
      const errors = await Promise.allSettled([square(1), square(2)])
      console.log(JSON.stringify(errors.map((outcome) => outcome.reason.code)))`
    expect(await result({ functions, main })).toEqual(['MANIFEST_DAMAGED', 'MANIFEST_DAMAGED'])
  })

  test('configure() works before the first call and is refused after it, unless it says the same again', async () => {
    const main = `
      configure({ target: 'inline' })
      const here = (await pid()) === process.pid
      let code
      configure({ target: 'inline' })
      try { configure({ target: 'local' }) } catch (error) { code = error.code }
      console.log(JSON.stringify([here, code]))`
    expect(await result({ functions, main })).toEqual([true, 'CONFIGURED_TOO_LATE'])
  })
})
