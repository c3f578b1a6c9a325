import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test, vi } from 'vitest'

import { createRunFolder } from './run-folder.ts'

/** A folder with a socket that a program listened on until it was killed. */
async function makeDeadFolder(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'turbolift-'))
  writeFileSync(join(folder, 'token'), 'secret')
  const script = `require('node:net').createServer().listen(process.argv[1], () => console.log('listening'))`
  const child = spawn(process.execPath, ['-e', script, join(folder, 'alive.sock')])
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  return folder
}

function makeOlder(folder: string): void {
  const before = Date.now() / 1_000 - 60
  utimesSync(join(folder, 'alive.sock'), before, before)
}

test.skipIf(process.platform === 'win32')('removes folders of killed programs, and of these alone', async () => {
  const [dead, young] = [await makeDeadFolder(), await makeDeadFolder()]
  makeOlder(dead)
  const other = mkdtempSync(join(tmpdir(), 'turbolift-'))
  using alive = createRunFolder()
  makeOlder(alive.path)
  using created = createRunFolder()
  await vi.waitFor(() => expect(existsSync(dead)).toBe(false), { timeout: 10_000, interval: 20 })
  makeOlder(young)
  using last = createRunFolder()
  await vi.waitFor(() => expect(existsSync(young)).toBe(false), { timeout: 10_000, interval: 20 })
  expect([alive.path, created.path, last.path, other].filter((path) => !existsSync(path))).toEqual([])
  rmSync(other, { recursive: true })
})

test('goes with its run', () => {
  const folder = createRunFolder()
  expect(existsSync(folder.path)).toBe(true)
  folder[Symbol.dispose]()
  expect(existsSync(folder.path)).toBe(false)
})
