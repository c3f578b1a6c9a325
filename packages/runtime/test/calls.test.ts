import { afterAll, beforeAll, expect, test } from 'vitest'

import { createProgram } from './program.ts'
import type { Program } from './program.ts'

let program: Program
beforeAll(async () => {
  program = await createProgram({
    functions: `square: async (n) => n * n,`,
    main: `console.log(await Promise.all([1, 2, 3].map((n) => square(n))))`,
  })
})
afterAll(() => program[Symbol.asyncDispose]())

test('works', async () => {
  expect(await program.run()).toEqual({ exitCode: 0, signal: null, stdout: '[ 1, 4, 9 ]\n', stderr: '' })
  expect(await program.leftovers()).toEqual([])
})
