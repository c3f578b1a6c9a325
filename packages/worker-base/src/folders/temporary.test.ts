import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { createTemporaryFolder, removeDeadFolders } from './temporary.ts'

const isWindows = process.platform === 'win32'
const isRoot = process.getuid?.() === 0
const soon = { timeout: 20_000, interval: 20 }

let base: string
let made = 0
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'b-'))
  vi.stubEnv('TMPDIR', base)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(base, { recursive: true })
})

/** A folder with a socket that a program listened on until it was killed, a minute ago. */
async function makeDeadFolder(): Promise<string> {
  // In the order in which they were made.
  const folder = join(base, `turbolift-${String(made++).padStart(6, '0')}`)
  mkdirSync(folder, { mode: 0o700 })
  writeFileSync(join(folder, 'token'), 'secret')
  const script = `require('node:net').createServer().listen(process.argv[1], () => console.log('listening'))`
  const child = spawn(process.execPath, ['-e', script, join(folder, 'alive.sock')])
  await once(child.stdout, 'data')
  await end(child)
  makeOlder(folder)
  return folder
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

function makeOlder(folder: string): void {
  const before = Date.now() / 1_000 - 60
  utimesSync(join(folder, 'alive.sock'), before, before)
}

test.skipIf(isWindows)('removes folders of killed programs, and of these alone', async () => {
  const [dead, young] = [await makeDeadFolder(), await makeDeadFolder()]
  utimesSync(join(young, 'alive.sock'), new Date(), new Date())
  const other = mkdtempSync(join(base, 'turbolift-'))
  using alive = createTemporaryFolder()
  makeOlder(alive.path)
  using created = createTemporaryFolder()
  await vi.waitFor(() => expect(existsSync(dead)).toBe(false), soon)
  expect([alive.path, created.path, young, other].filter((path) => !existsSync(path))).toEqual([])
})

test.skipIf(isWindows)('looks into no folder that others can write to, and behind no link', async () => {
  const [open, target] = [await makeDeadFolder(), await makeDeadFolder()]
  chmodSync(open, 0o777)
  const link = join(base, 'turbolift-link')
  renameSync(target, join(base, 'target'))
  symlinkSync(join(base, 'target'), link)
  await removeDeadFolders(base)
  expect([open, link].map((path) => readdirSync(path).includes('token'))).toEqual([true, true])
})

test.skipIf(!isRoot)('leaves the folders of other users alone', async () => {
  const folder = await makeDeadFolder()
  chownSync(folder, 2002, 2002)
  await removeDeadFolders(base)
  expect(readdirSync(folder)).toContain('token')
})

test.skipIf(isWindows)('leaves a folder of another kernel, whose socket looks dead from here', async () => {
  const folder = await makeDeadFolder()
  writeFileSync(join(folder, 'kernel'), 'another')
  await removeDeadFolders(base)
  expect(readdirSync(folder)).toContain('token')
})

test.skipIf(isWindows)('one that cannot be read does not end the clean-up of the others', async () => {
  const [first, second] = [await makeDeadFolder(), await makeDeadFolder()]
  // Where a file is expected.
  mkdirSync(join(first, 'kernel'))
  await removeDeadFolders(base)
  expect([first, second].map((path) => existsSync(path))).toEqual([true, false])
})

test.skipIf(isWindows)(
  'what a program leaves that was killed before it listened is removed after an hour',
  async () => {
    const [young, old] = ['turbolift-young1', 'turbolift-older1'].map((name) => join(base, name))
    for (const folder of [young ?? '', old ?? '']) {
      using living = createTemporaryFolder()
      mkdirSync(folder, { mode: 0o700 })
      writeFileSync(join(folder, 'kernel'), readKernel(living.path))
    }
    utimesSync(old ?? '', 0, 0)
    await removeDeadFolders(base)
    expect([young, old].map((path) => existsSync(path ?? ''))).toEqual([true, false])
  },
)

test.skipIf(process.platform !== 'linux')(
  'a program that is stopped keeps its folder, until it is killed',
  async () => {
    const script = `
    const { createTemporaryFolder } = await import(${JSON.stringify(new URL('../../dist/folders.js', import.meta.url))})
    console.log(createTemporaryFolder().path)
    setInterval(() => undefined, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script])
    const [output] = await once(child.stdout, 'data')
    const folder = String(output).trim()
    makeOlder(folder)
    child.kill('SIGSTOP')
    await removeDeadFolders(base)
    const whileStopped = existsSync(folder)
    await end(child)
    await removeDeadFolders(base)
    expect([whileStopped, existsSync(folder)]).toEqual([true, false])
  },
)

test.skipIf(isWindows)('goes with its program, and takes no folder with it that stands in its place', () => {
  const first = createTemporaryFolder()
  expect(lstatSync(first.path).mode & 0o777).toBe(0o700)
  first[Symbol.dispose]()
  const second = createTemporaryFolder()
  const own = join(base, 'own')
  mkdirSync(own)
  writeFileSync(join(own, 'letter'), '')
  renameSync(second.path, `${second.path}-moved`)
  symlinkSync(own, second.path)
  second[Symbol.dispose]()
  expect([existsSync(first.path), readdirSync(own)]).toEqual([false, ['letter']])
})

test.skipIf(isWindows)('a temporary folder whose name is long in bytes leaves room for sockets', () => {
  const long = join(base, '日'.repeat(25))
  mkdirSync(long)
  vi.stubEnv('TMPDIR', long)
  using created = createTemporaryFolder()
  expect(Buffer.byteLength(join(created.path, 'twelve-long-.sock'))).toBeLessThan(104)
})

function readKernel(folder: string): Buffer {
  return readFileSync(join(folder, 'kernel'))
}
