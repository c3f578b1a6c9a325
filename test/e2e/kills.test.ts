import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { buildProgram, type BuiltProgram } from '../programs/build.ts'
import { runProgram, startProgram } from '../programs/run.ts'

let program: BuiltProgram
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kills-'))
  program = await buildProgram(fileURLToPath(new URL('journeys', import.meta.url)))
})
afterAll(async () => {
  await program[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

/** Waits until the lifted function says in which process it runs. */
async function meet(path: string): Promise<number> {
  return await vi.waitFor(
    async () => {
      const pid = Number(await readFile(path, 'utf8'))
      expect(pid).toBeGreaterThan(0)
      return pid
    },
    { timeout: 30_000, interval: 20 },
  )
}

test.for(['SIGINT', 'SIGTERM'] as const)('%s in mid-call ends the program and its workers', async (signal) => {
  const path = join(folder, signal)
  await using running = await startProgram(program, { target: 'local', args: ['held', path] })
  await meet(path)
  running.child.kill(signal)
  const ended = await running.ended
  expect(ended).toMatchObject({ exitCode: null, signal, leftovers: [] })
})

test("Ctrl-C leaves the last word to the program's own handler", async () => {
  const path = join(folder, 'handler')
  await using running = await startProgram(program, { target: 'local', args: ['cancelled', path] })
  await meet(path)
  running.child.kill('SIGINT')
  const { exitCode, stdout, leftovers } = await running.ended
  expect(stdout).toContain('the handler of the program ran')
  expect({ exitCode, leftovers }).toEqual({ exitCode: 7, leftovers: [] })
})

test('kill -9 of the program: its workers are gone within 5 s', async () => {
  const path = join(folder, 'main')
  await using running = await startProgram(program, { target: 'local', args: ['held', path] })
  const worker = await meet(path)
  expect(await running.workers()).toContain(worker)
  running.child.kill('SIGKILL')
  await vi.waitFor(async () => expect(await running.workers()).toEqual([]), { timeout: 5_000, interval: 50 })
})

test('kill -9 of a worker in mid-call: the call is tried again and the answer is right', async () => {
  const path = join(folder, 'worker')
  await using running = await startProgram(program, { target: 'local', args: ['retried', path] })
  process.kill(await meet(path), 'SIGKILL')
  const ended = await running.ended
  expect(ended).toMatchObject({ exitCode: 0, stdout: 'answered at the second try\n2450\n', leftovers: [] })
})

test('a function that kills its worker every time is given up after three tries, others go on', async () => {
  const { exitCode, stdout, leftovers } = await runProgram(program, { target: 'local', args: ['poisoned'] })
  expect({ exitCode, leftovers }).toEqual({ exitCode: 0, leftovers: [] })
  expect(stdout).toMatch(/^WorkerLostError [A-Z_]+: /)
  expect(stdout).toContain('3')
  expect(stdout).toContain('[ 2, 4 ]')
})
