import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'

const fuzzer = fileURLToPath(new URL('fuzz/run.mjs', import.meta.url))

test.each([1, 2])('random bytes break no rule of the wire decoder, seed %i', async (seed) => {
  const { stdout } = await promisify(execFile)(process.execPath, [fuzzer, '5000', String(seed)])
  expect(stdout).toMatch(/^5000 inputs, .*: every rule held\.\n$/)
})
