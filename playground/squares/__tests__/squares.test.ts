import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { buildProgram, type BuiltProgram, readHalves } from '../../../test/programs/build.ts'
import { runProgram } from '../../../test/programs/run.ts'

let program: BuiltProgram
beforeAll(async () => {
  program = await buildProgram(fileURLToPath(new URL('..', import.meta.url)))
})
afterAll(() => program[Symbol.asyncDispose]())

test.for(['local', 'inline'] as const)(
  'prints the squares with target %s and leaves nothing behind',
  async (target) => {
    const ended = await runProgram(program, { target })
    expect(ended).toMatchObject({ exitCode: 0, stdout: '[ 1, 4, 9 ]\n', stderr: '', leftovers: [] })
  },
)

test('the body of the lifted function is in the worker alone', async () => {
  const { main, worker } = await readHalves(program)
  expect(worker).toContain('n * n')
  expect(main).not.toContain('n * n')
})
