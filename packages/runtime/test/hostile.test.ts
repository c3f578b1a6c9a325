import { readFile } from 'node:fs/promises'

import { expect, test } from 'vitest'

import { createProgram } from './program.ts'

/** HOSTILE_CALLS=100000 HOSTILE_SEED=3 make more, from another seed. */
const calls = Number(process.env['HOSTILE_CALLS'] ?? 2000)
const seed = Number(process.env['HOSTILE_SEED'] ?? 1)

const functions = `
  square: async (n) => { Error.prepareStackTrace = undefined; return n * n },
  pid: async () => process.pid,
  give: async (seed) => [makeHostile(seed)],
  take: async (value) => 'taken',
  echo: async (value) => [value],
  fail: async (seed) => { throw makeHostile(seed, 'error') },
  failWith: async (seed) => { throw makeHostile(seed) },
  failBecause: async (seed) => { throw new Error('outer', { cause: makeHostile(seed) }) },
  failHolding: async (seed) => { throw Object.assign(new Error('outer'), { held: makeHostile(seed) }) },
  capturedTake: (value) => async () => 'taken',
  async *streamOf(seed) { yield [makeHostile(seed)]; yield 'second' },
  async *streamFailing(seed) { yield 'first'; throw makeHostile(seed) },
`

/** Ways of a value: true where it is thrown, so that the caller gets it, or what could be sent of it. */
const main = `
const ways = {
  argument: [false, (seed) => take(makeHostile(seed))],
  there_and_back: [false, (seed) => echo(makeHostile(seed))],
  result: [false, (seed) => give(seed)],
  thrown: [true, (seed) => fail(seed)],
  thrown_value: [true, (seed) => failWith(seed)],
  cause: [true, (seed) => failBecause(seed)],
  field: [true, (seed) => failHolding(seed)],
  captured: [false, (seed) => { captures = [makeHostile(seed)]; return capturedTake() }],
  yielded: [false, async (seed) => { for await (const item of streamOf(seed)) void item }],
  thrown_later: [true, async (seed) => { for await (const item of streamFailing(seed)) void item }],
}
const refusals = new Set(['ARGUMENT_UNSENDABLE', 'RESULT_UNSENDABLE', 'CALL_TOO_LARGE'])
const wrong = [], ends = {}
const limit = (promise) => {
  let timer
  const late = new Promise((_, reject) => { timer = setTimeout(reject, 30_000, 'LATE') })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
const worker = await pid()
const names = Object.keys(ways)
for (let n = 0; n < CALLS && wrong.length < 5; n += 1) {
  const name = names[n % names.length], [isThrown, way] = ways[name], seed = SEED * 1_000_003 + n
  let end
  try {
    await limit(new Promise((resolve) => resolve(way(seed))))
    end = isThrown ? 'nothing was thrown' : 'arrived'
  } catch (error) {
    Error.prepareStackTrace = undefined
    const isOurs = error instanceof turbolift.LiftError
    if (isThrown) end = isOurs || error === 'LATE' ? 'an error of ours: ' + (error.message ?? error) : 'thrown'
    else end = isOurs && refusals.has(error.code) && /^\\S+ cannot be|"/.test(error.message) ? 'refused' : 'not refused: ' + (error?.stack ?? error)
  }
  Error.prepareStackTrace = undefined
  ends[end.slice(0, 9)] = (ends[end.slice(0, 9)] ?? 0) + 1
  if (!['arrived', 'thrown', 'refused'].includes(end)) wrong.push([name, seed, end])
  const next = await limit(square(n)).catch((error) => String(error))
  if (next !== n * n) wrong.push([name, seed, 'the next call gave ' + next])
}
console.log(JSON.stringify({ wrong, isSame: (await pid()) === worker, ends }))
`

test.each(['local', 'inline'])(
  'whatever is sent, the call settles and the next one is right: %s',
  async (target) => {
    const values = await readFile(new URL('hostile-values.mjs', import.meta.url), 'utf8')
    const sized = main.replace('CALLS', String(calls)).replace('SEED', String(seed))
    await using program = await createProgram({
      functions,
      head: values,
      main: `${values}\n${sized}`,
      options: { maxReplicas: 1 },
    })
    const { stdout, stderr, exitCode } = await program.run({ TURBOLIFT_TARGET: target, TURBOLIFT_CONCURRENCY: '1' })
    const result = stdout.startsWith('{') ? JSON.parse(stdout) : { stdout, stderr }
    if (process.env['HOSTILE_CALLS'] !== undefined) console.log(target, JSON.stringify(result))
    expect(result).toMatchObject({ wrong: [], isSame: true })
    expect(exitCode).toBe(0)
    expect(Object.keys(result.ends).toSorted()).toEqual(['arrived', 'refused', 'thrown'])
  },
  30_000 + calls * 20,
)
