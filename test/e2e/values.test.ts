import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { buildProgram, type BuiltProgram } from '../programs/build.ts'
import { runProgram } from '../programs/run.ts'

let program: BuiltProgram
beforeAll(async () => {
  program = await buildProgram(fileURLToPath(new URL('journeys', import.meta.url)))
})
afterAll(() => program[Symbol.asyncDispose]())

describe.for(['local', 'inline'] as const)('with target %s', (target) => {
  const run = (...args: string[]) => runProgram(program, { target, args })

  test('values arrive as they left', async () => {
    const { exitCode, stdout, stderr } = await run('values')
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout.split('\n')).toEqual([
      '{',
      '  big: 1180591620717411303424n,',
      '  bytes: Uint8Array(2) [ 0, 255 ],',
      '  cycle: <ref *1> { self: [Circular *1] },',
      '  date: 1970-01-01T00:00:00.000Z,',
      '  floats: Float64Array(2) [ 0.1, -0 ],',
      '  infinite: -Infinity,',
      "  list: [ { name: 'shared' }, { name: 'shared' } ],",
      "  map: Map(1) { 1 => Set(1) { 'a' } },",
      '  minusZero: -0,',
      '  missing: undefined,',
      '  notANumber: NaN,',
      '  pattern: /a+/gi,',
      ...stdout.split('\n').slice(13, -3),
      '}',
      'true true',
      '',
    ])
    expect(stdout).toContain("href: 'https://example.com/?q=1'")
  })

  test('streams go there and back', async () => {
    const { exitCode, stdout, stderr } = await run('streams', join(program.root, 'log.txt'))
    expect({ exitCode, stderr, stdout }).toEqual({ exitCode: 0, stderr: '', stdout: 'true\n499500 the rest\n' })
  })

  test('an error arrives with name, message, own fields, cause and the lines of its source', async () => {
    const { stdout } = await run('remoteError')
    expect(stdout).toContain('[OrderError]: order 42 failed')
    expect(stdout).toContain('orderId: 42')
    expect(stdout).toContain('TypeError: price is not a number')
    expect(stdout).toContain('src/scenarios/values.ts:14')
  })

  test('a thrown value that is not an Error arrives as it is', async () => {
    expect(await run('remoteValue')).toMatchObject({ exitCode: 0, stdout: "{ reason: 'not an Error' }\n" })
  })
})

test('what workers print comes out of the program, labelled, each stream in its own', async () => {
  const { exitCode, stdout, stderr } = await runProgram(program, { target: 'local', args: ['remoteOutput'] })
  expect(exitCode).toBe(0)
  expect(stdout).toMatch(/^\S.* hello to stdout\n$/)
  expect(stderr).toMatch(/^\S.* hello to stderr\n$/)
})

test('inline prints as the program itself', async () => {
  const ended = await runProgram(program, { target: 'inline', args: ['remoteOutput'] })
  expect(ended).toMatchObject({ stdout: 'hello to stdout\n', stderr: 'hello to stderr\n' })
})
