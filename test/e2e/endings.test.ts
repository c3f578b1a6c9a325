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

  test('the exit code is that of the program', async () => {
    expect(await run('exitCode')).toMatchObject({ exitCode: 3, stdout: '42\n', stderr: '', leftovers: [] })
  })

  test('what workers open at their start is there for calls, and is closed at the end', async () => {
    const { exitCode, stdout, leftovers } = await run('hooks')
    expect({ exitCode, leftovers }).toEqual({ exitCode: 0, leftovers: [] })
    const lines = stdout.trimEnd().split('\n')
    expect(lines.map((line) => line.replace(/^\[.*?\] /, ''))).toEqual([
      'the model is open',
      '42',
      'the model is closed',
    ])
  })

  test('output that is still pending at the end is not lost', async () => {
    const { exitCode, stdout, leftovers } = await run('pendingOutput')
    expect({ exitCode, leftovers }).toEqual({ exitCode: 0, leftovers: [] })
    const lines = stdout.trimEnd().split('\n')
    expect(lines).toHaveLength(20_000)
    expect(lines.at(-1)).toMatch(/^19999 18 x{80}$/)
  })

  test('an exception ends the program as Node does, and nothing is left', async () => {
    const { exitCode, stdout, stderr, leftovers } = await run('thrown')
    expect({ exitCode, stdout, leftovers }).toEqual({ exitCode: 1, stdout: '42\n', leftovers: [] })
    expect(stderr).toContain('Error: the main program gave up')
  })

  test('an exception of a worker that nobody catches ends the program, and its stack shows the source', async () => {
    const { exitCode, stderr, leftovers } = await run('uncaughtRemote')
    expect({ exitCode, leftovers }).toEqual({ exitCode: 1, leftovers: [] })
    expect(stderr).toContain('RangeError: the worker gave up')
    expect(stderr).toContain('src/scenarios/endings.ts:8')
  })

  test('process.exit() with calls in flight ends at once with its code', async () => {
    const { exitCode, stdout, leftovers } = await run('exitNow')
    expect({ exitCode, stdout, leftovers }).toEqual({ exitCode: 5, stdout: '42\n', leftovers: [] })
  })
})
