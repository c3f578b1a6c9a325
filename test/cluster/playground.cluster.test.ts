import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { managedSelector } from '../../packages/runtime/src/deploy/names.ts'
import { buildEnvironment } from '../../packages/runtime/test/build-environment.ts'
import { buildProgram, type BuiltProgram } from '../programs/build.ts'
import { runProgram } from '../programs/run.ts'
import { createTestNamespace, type TestNamespace } from './namespace.ts'
import { listAll } from './wait.ts'

// Every program of the playground, with input that takes a few seconds.
const programs = [
  { name: 'squares', args: [] },
  { name: 'permutation-test', args: ['2000000'] },
  { name: 'mandelbrot', args: ['out/cluster.png', '6', '96'] },
  { name: 'compress', args: [] },
]

let namespace: TestNamespace
beforeAll(async () => {
  namespace = await createTestNamespace('playground')
})
afterAll(() => namespace[Symbol.asyncDispose]())

describe.for(programs)('$name', ({ name, args }) => {
  let program: BuiltProgram
  let expected: string
  beforeAll(async () => {
    program = await buildProgram(fileURLToPath(new URL(`../../playground/${name}`, import.meta.url)))
    expected = (await runProgram(program, { target: 'inline', args })).stdout
  })
  afterAll(() => program[Symbol.asyncDispose]())

  test.for(['mount', 'image'])('gives on a cluster, by %s, what it gives inline', async (delivery) => {
    const env = { ...buildEnvironment, TURBOLIFT_NAMESPACE: namespace.name, TURBOLIFT_DELIVERY: delivery }
    const ended = await runProgram(program, { target: 'kubernetes', args, env })
    expect(ended, ended.stderr).toMatchObject({ exitCode: 0, stdout: expected, leftovers: [] })
    expect(await listAll(namespace.client, managedSelector)).toEqual([])
  })
})
