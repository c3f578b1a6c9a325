import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'

const fuzzer = fileURLToPath(new URL('fuzz/main.mjs', import.meta.url))

test.each([1, 2])('random bytes break no rule of the wire decoder, seed %i', async (seed) => {
  const { stdout } = await promisify(execFile)(process.execPath, [fuzzer, '5000', String(seed)])
  expect(stdout).toMatch(/^5000 inputs, .*: every rule held\.\n$/)
})

// Starts executors anew now and then, which takes as long as a thousand inputs.
const WORKER_INPUTS = [
  ['http', 20_000],
  ['frames', 80_000],
] as const

test.each(WORKER_INPUTS)('random %s end no worker: %i', { timeout: 300_000 }, async (subject, inputs) => {
  const { stdout } = await promisify(execFile)(process.execPath, [fuzzer, subject, String(inputs), '3'])
  expect(stdout).toMatch(/: the worker lives, at most \d+ MB, and is right\.\n$/)
})
