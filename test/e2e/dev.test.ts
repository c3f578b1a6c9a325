import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

import { findLeftovers } from '../programs/leftovers.ts'

const command = fileURLToPath(new URL('../../packages/runtime/dist/cli/main.js', import.meta.url))
const expected = {
  squares: '[ 1, 4, 9 ]\n',
  compress: '255 texts, 12611358 bytes, compressed to 30.5 %\n',
}

test.for(Object.entries(expected))('%s runs from its sources, and leaves nothing behind', async ([name, output]) => {
  const root = fileURLToPath(new URL(`../../playground/${name}`, import.meta.url))
  const folder = await mkdtemp(join(tmpdir(), 'dev-'))
  const id = randomUUID()
  const child = spawn(process.execPath, [command, 'dev', 'src/main.ts'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, VITEST: undefined, TMPDIR: folder, TURBOLIFT_PROGRESS: '0', TURBOLIFT_TEST_RUN: id },
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  expect({ stderr, exitCode: child.exitCode }).toEqual({
    stderr: expect.not.stringMatching(/error|warning/i),
    exitCode: 0,
  })
  expect(stdout).toContain(output)
  expect(await findLeftovers({ mark: `TURBOLIFT_TEST_RUN=${id}`, folder })).toEqual([])
  await rm(folder, { recursive: true })
})
