import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { buildProgram, type BuiltProgram, readHalves } from '../../../test/programs/build.ts'
import { runProgram } from '../../../test/programs/run.ts'
import { readApng } from './read-apng.ts'

let program: BuiltProgram
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mandelbrot-'))
  program = await buildProgram(fileURLToPath(new URL('..', import.meta.url)))
})
afterAll(async () => {
  await program[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

test('workers draw the same animation as one process', async () => {
  const [local, inline] = [join(folder, 'local.png'), join(folder, 'inline.png')]
  const first = await runProgram(program, { target: 'local', args: [local, '6', '96'] })
  const second = await runProgram(program, { target: 'inline', args: [inline, '6', '96'] })
  expect(first).toMatchObject({ exitCode: 0, leftovers: [] })
  expect(second).toMatchObject({ exitCode: 0, leftovers: [], stdout: first.stdout })
  expect(await readFile(local)).toEqual(await readFile(inline))
})

test('the file is an animated PNG with the whole set in its first frame', async () => {
  const path = join(folder, 'zoom.png')
  await runProgram(program, { target: 'local', args: [path, '3', '60'] })
  const { width, height, frames } = readApng(await readFile(path))
  expect({ width, height, frames: frames.length }).toEqual({ width: 60, height: 40, frames: 3 })
  // The zoom's goal is on the set's edge: far out there is some of the set and much around it.
  const inside = (frames[0] ?? new Uint8Array()).filter((colour) => colour === 0).length
  expect(inside).toBeGreaterThan(100)
  expect(inside).toBeLessThan(1200)
})

test('the drawing is in the worker, the file format in the main program', async () => {
  const { main, worker } = await readHalves(program)
  expect(worker).toContain('deflateSync')
  expect(worker).not.toContain('acTL')
  expect(main).toContain('acTL')
  expect(main).not.toContain('deflateSync')
})
