import { once } from 'node:events'
import { appendFile, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { createProgram } from './program.ts'
import type { Program, ProgramSource } from './program.ts'

const INPUTS = 40

let folder: string
let cache: string
/** A line for each time that a worker really computed. */
let computed: string
const programs: Program[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turbolift-resume-'))
  cache = join(folder, 'cache')
  computed = join(folder, 'computed')
  await writeFile(computed, '')
})
afterEach(async () => {
  await Promise.all(programs.splice(0).map((program) => program[Symbol.asyncDispose]()))
  await rm(folder, { recursive: true })
})

/** Squares numbers, slowly, and says of each that it did. */
async function createSquares({
  body = 'n * n',
  options = '',
}: { body?: string; options?: string } = {}): Promise<Program> {
  const source: ProgramSource = {
    head: `import { appendFileSync } from 'node:fs'`,
    functions: `slow: async (n) => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      appendFileSync(${JSON.stringify(computed)}, n + '\\n')
      return { n, square: ${body}, bytes: new Uint8Array(1000).fill(n) }
    },`,
    main: `
      const inputs = Array.from({ length: ${INPUTS} }, (_, n) => n)
      const results = await map(slow, inputs, { cache: ${JSON.stringify(cache)}, ${options} })
      const isRight = results.every(({ n, bytes }, index) => n === index && bytes.length === 1000 && bytes.at(-1) === n)
      console.log(isRight, results.map(({ square }) => square).join())`,
    options: { maxReplicas: 2 },
  }
  const program = await createProgram(source)
  programs.push(program)
  return program
}

/** Of what a program left behind, files aside. */
function isProcess(leftover: string): boolean {
  return /^\d+ /.test(leftover)
}

async function timesComputed(): Promise<readonly number[]> {
  const lines = (await readFile(computed, 'utf8')).split('\n').filter((line) => line !== '')
  return lines.map(Number)
}

async function keptResults(): Promise<readonly string[]> {
  const entries = await readdir(cache, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isFile() && !entry.parentPath.endsWith('.drafts'))
    .map((entry) => join(entry.parentPath, entry.name))
}

const squares = Array.from({ length: INPUTS }, (_, n) => n * n).join()
const right = { exitCode: 0, stdout: `true ${squares}\n` }

test('a second run computes nothing', async () => {
  const program = await createSquares()
  expect(await program.run()).toMatchObject(right)
  expect(await program.run()).toMatchObject(right)
  expect((await timesComputed()).toSorted((a, b) => a - b)).toEqual(Array.from({ length: INPUTS }, (_, n) => n))
  expect(await program.leftovers()).toEqual([])
})

test('a run that is killed with -9 again and again goes on where it stopped, and ends with all results', async () => {
  const program = await createSquares()
  for (const goal of [5, 15, 25]) {
    const child = program.start()
    await vi.waitFor(async () => expect((await keptResults()).length).toBeGreaterThanOrEqual(goal), {
      timeout: 60_000,
      interval: 5,
    })
    child.kill('SIGKILL')
    await once(child, 'exit')
    // Its workers may still end the calls that they run.
    await vi.waitFor(async () => expect((await program.leftovers()).filter(isProcess)).toEqual([]), { timeout: 60_000 })
  }
  const kept = (await keptResults()).length
  const before = (await timesComputed()).length
  expect(await program.run()).toMatchObject(right)
  const after = (await timesComputed()).length
  // What was being computed when it was killed is computed again, and nothing else.
  expect(after - before).toBeLessThanOrEqual(INPUTS - kept)
  expect(after - before).toBeGreaterThan(0)
  expect(await keptResults()).toHaveLength(INPUTS)
})

test('two runs at the same time share the folder', async () => {
  const program = await createSquares()
  const [first, second] = await Promise.all([program.run(), program.run()])
  expect([first, second]).toMatchObject([right, right])
  expect(await keptResults()).toHaveLength(INPUTS)
})

test('damaged results are computed again', async () => {
  const program = await createSquares()
  await program.run()
  const [first = '', second = '', third = ''] = await keptResults()
  await writeFile(first, (await readFile(first)).subarray(0, 100))
  await writeFile(second, '')
  await appendFile(third, 'x')
  expect(await program.run()).toMatchObject(right)
  expect(await timesComputed()).toHaveLength(INPUTS + 3)
})

test('changed code computes anew', async () => {
  await (await createSquares()).run()
  const changed = await createSquares({ body: 'n * n + 1' })
  const plusOne = Array.from({ length: INPUTS }, (_, n) => n * n + 1).join()
  expect(await changed.run()).toMatchObject({ stdout: `true ${plusOne}\n` })
  expect(await timesComputed()).toHaveLength(2 * INPUTS)
})

test('inline results are found by local runs: what crosses is the same', async () => {
  const program = await createSquares()
  expect(await program.run({ TURBOLIFT_TARGET: 'inline' })).toMatchObject(right)
  expect(await program.run()).toMatchObject(right)
  expect(await timesComputed()).toHaveLength(INPUTS)
})

test('failures are not kept', async () => {
  const program = await createProgram({
    head: `import { existsSync } from 'node:fs'`,
    functions: `fails: async (n) => {
      if (!existsSync(${JSON.stringify(computed)} + '.ready')) throw new Error('not ready')
      return n
    },`,
    main: `console.log(await map(fails, [1, 2], { cache: ${JSON.stringify(cache)}, onError: 'skip' }))`,
  })
  programs.push(program)
  const before = await program.run()
  await writeFile(`${computed}.ready`, '')
  expect([before.stdout, (await program.run()).stdout]).toEqual(['[]\n', '[ 1, 2 ]\n'])
})

test('a folder that cannot be used ends the map with the reason, before any call', async () => {
  const file = join(folder, 'file')
  await writeFile(file, '')
  cache = file
  const program = await createSquares()
  const { exitCode, stderr } = await program.run()
  expect(exitCode).toBe(1)
  expect(stderr).toContain(`The cache folder "${file}" cannot be used.`)
  expect(await timesComputed()).toEqual([])
})
