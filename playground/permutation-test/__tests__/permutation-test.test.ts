import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { buildProgram, type BuiltProgram, readHalves } from '../../../test/programs/build.ts'
import { runProgram } from '../../../test/programs/run.ts'
import { fisher } from '../src/zea-mays.ts'

let program: BuiltProgram
beforeAll(async () => {
  program = await buildProgram(fileURLToPath(new URL('..', import.meta.url)))
})
afterAll(() => program[Symbol.asyncDispose]())

test("two million random swaps in workers come close to Fisher's count, and inline to the same number", async () => {
  const args = ['2000000']
  const local = await runProgram(program, { target: 'local', args })
  const inline = await runProgram(program, { target: 'inline', args })
  expect(local).toMatchObject({ exitCode: 0, leftovers: [] })
  expect(inline).toMatchObject({ exitCode: 0, leftovers: [], stdout: local.stdout })

  const asExtreme = Number(/random swaps +(\d+) of 2000000/.exec(local.stdout)?.[1])
  const expected = fisher.asExtreme / fisher.swaps
  // Four standard errors: a right program with another seed would miss this once in 16,000 times.
  const tolerance = 4 * Math.sqrt((expected * (1 - expected)) / 2_000_000)
  expect(Math.abs(asExtreme / 2_000_000 - expected)).toBeLessThan(tolerance)
})

test('prints time, calls and speed-up', async () => {
  const { stderr } = await runProgram(program, { target: 'local', args: ['200000'] })
  expect(stderr).toMatch(/lifted {8}\d+\.\d\d s for 100 calls/)
  expect(stderr).toMatch(/one process {3}\d+\.\d\d s\n/)
  expect(stderr).toMatch(/speed-up {6}\d+\.\d\d\n/)
})

test('what only the main program needs is not in the worker', async () => {
  const { main, worker } = await readHalves(program)
  expect(worker).not.toContain('Is that chance?')
  expect(main).toContain('Is that chance?')
})
