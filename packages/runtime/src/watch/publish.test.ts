import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { resolveConfig } from '../config/resolve.ts'
import { events } from './events.ts'
import { publishRun } from './publish.ts'
import { WatchedRuns, parseSnapshot } from './runs.ts'
import { startWatching } from './start.ts'
import { openWatchFolder } from './watch-folder.ts'

const run = { runId: toRunId(1), program: 'demo', target: 'local' }
const call = { callId: 1, functionId: 'src/main.ts#f', pool: 'default', mapId: 1, workerId: 'w1', attempt: 1 }

function toRunId(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
}

let folder: string
beforeEach(async () => {
  folder = openWatchFolder(join(await mkdtemp(join(tmpdir(), 'turbolift-watch-')), 'runs'))
})
afterEach(async () => {
  vi.useRealTimers()
  await rm(join(folder, '..'), { recursive: true })
})

async function readOnly() {
  const [found, ...more] = await new WatchedRuns(folder).read()
  if (found === undefined || more.length > 0) throw new Error(`${more.length} runs too many, or none`)
  return found
}

test('a run is seen from its start to its end, with what happened in it', async () => {
  const published = publishRun(run, folder)
  const atStart = await readOnly()
  events['worker:ready'].emit({ workerId: 'w1', pool: 'default' })
  const counts = { total: 3, inFlight: 1, done: 1, failed: 1, cached: 0 }
  events['map:started'].emit({ mapId: 1, functionId: 'src/main.ts#f', pool: 'default', counts })
  events['call:done'].emit({ ...call, queuedMs: 1, durationMs: 40, sentBytes: 10, receivedBytes: 20 })
  events['call:retried'].emit({ ...call, durationMs: 7, error: new Error('lost') })
  events['call:failed'].emit({ ...call, attempt: 2, durationMs: 8, error: new RangeError('too far') })
  events['log:line'].emit({ workerId: 'w1', stream: 'stdout', line: 'hello' })
  published[Symbol.dispose]()
  const atEnd = await readOnly()
  expect(atStart).toMatchObject({ ...run, pid: process.pid, state: 'running', workers: [] })
  expect(atEnd).toMatchObject({
    state: 'ended',
    workers: [{ id: 'w1', state: 'gone', done: 1, failed: 1 }],
    maps: [{ functionId: 'src/main.ts#f', total: 3, done: 1, failed: 1, endedAt: expect.any(Number) }],
    functions: [{ id: 'src/main.ts#f', done: 1, failed: 1, retried: 1, totalMs: 40, maxMs: 40 }],
    seconds: [{ done: 1, failed: 1 }],
    slowest: [{ workerId: 'w1', durationMs: 40 }],
    errors: [
      { name: 'RangeError', message: 'too far', attempt: 2, isRetried: false },
      { message: 'lost', isRetried: true },
    ],
    log: [{ workerId: 'w1', line: 'hello' }],
  })
  expect(atEnd.errors[0]?.source).toMatch(/publish\.test\.ts:\d+:\d+$/)
})

test('news are written while the run goes on', async () => {
  const published = publishRun(run, folder)
  events['log:line'].emit({ workerId: 'w1', stream: 'stdout', line: 'hello' })
  await vi.waitFor(async () => expect((await readOnly()).log).toHaveLength(1), { timeout: 10_000 })
  published[Symbol.dispose]()
})

test('a hundred thousand calls take no more room than some', async () => {
  const published = publishRun(run, folder)
  const error = new Error('x'.repeat(100_000))
  for (let callId = 0; callId < 100_000; callId++) {
    events['call:done'].emit({ ...call, callId, queuedMs: 1, durationMs: callId % 977, sentBytes: 1, receivedBytes: 1 })
    if (callId % 100 === 0) events['call:failed'].emit({ ...call, callId, durationMs: 1, error })
    if (callId % 10 === 0) events['log:line'].emit({ workerId: 'w1', stream: 'stdout', line: 'y'.repeat(10_000) })
  }
  for (let id = 0; id < 1000; id++) {
    events['worker:ready'].emit({ workerId: `w${id}`, pool: 'default' })
    events['worker:gone'].emit({ workerId: `w${id}`, pool: 'default', error: undefined })
  }
  published[Symbol.dispose]()
  const found = await readOnly()
  const { size } = await stat(join(folder, `${run.runId}.json`))
  expect(found.functions).toMatchObject([{ done: 100_000, failed: 1000 }])
  expect(found.slowest.map(({ durationMs }) => durationMs)).toEqual(Array.from({ length: 10 }, () => 976))
  expect(size).toBeLessThan(1_000_000)
})

test('a killed program leaves its last state, and is seen as dead', async () => {
  publishRun(run, folder)[Symbol.dispose]()
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  const snapshot = {
    ...JSON.parse(await readFile(join(folder, `${run.runId}.json`), 'utf8')),
    pid: child.pid,
    endedAt: undefined,
  }
  await writeFile(join(folder, `${run.runId}.json`), JSON.stringify({ ...snapshot, at: Date.now() - 60_000 }))
  const silent = await readOnly()
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect([silent.state, (await readOnly()).state]).toEqual(['silent', 'died'])
})

test('only files that are named as runs are counted and removed', async () => {
  for (let number = 0; number < 40; number++) {
    await writeFile(join(folder, `n${number}.txt`), '')
    await mkdir(join(folder, `n${number}.json`))
    await utimes(join(folder, `n${number}.txt`), 0, 0)
  }
  await mkdir(join(folder, `${toRunId(9)}.json`))
  const before = await readdir(folder)
  publishRun(run, folder)[Symbol.dispose]()
  expect((await readdir(folder)).toSorted()).toEqual([...before, `${run.runId}.json`].toSorted())
  expect(await readOnly()).toMatchObject({ runId: run.runId })
})

test('a draft of a killed run is removed, and no link is written through', async () => {
  const target = join(folder, 'letter')
  await writeFile(target, 'dear')
  await symlink(target, join(folder, `${run.runId}.json`))
  await writeFile(join(folder, `.000000000000-1-1.${toRunId(1)}.draft`), '')
  await utimes(join(folder, `.000000000000-1-1.${toRunId(1)}.draft`), 0, 0)
  publishRun(run, folder)[Symbol.dispose]()
  expect(await readFile(target, 'utf8')).toBe('dear')
  expect((await readdir(folder)).toSorted()).toEqual([`${run.runId}.json`, 'letter'])
})

test('old runs make room, and files of others are passed over', async () => {
  for (let number = 0; number < 40; number++) publishRun({ ...run, runId: toRunId(number) }, folder)[Symbol.dispose]()
  await writeFile(join(folder, 'not-ours.json'), '{"version": 1')
  expect(await new WatchedRuns(folder).read()).toHaveLength(30)
  expect((await readdir(folder)).filter((name) => name.includes('draft'))).toEqual([])
})

test.each(['', 'null', '[]', '{}', '{"version":2}', '{"version":1,"runId":"r"}'])('%j is no run', (text) => {
  expect(parseSnapshot(text)).toBeUndefined()
})

test('nobody else can read a run, and a folder that others can look into is refused', async () => {
  publishRun(run, folder)[Symbol.dispose]()
  const { mode } = await stat(join(folder, `${run.runId}.json`))
  await chmod(folder, 0o755)
  expect(mode & 0o077).toBe(0)
  expect(() => openWatchFolder(folder)).toThrow(expect.objectContaining({ code: 'WATCH_FOLDER_UNSAFE' }))
})

test('a folder that goes away ends the watching with a warning, not the run', async () => {
  const published = publishRun(run, folder)
  await rm(folder, { recursive: true })
  const warned = once(process, 'warning')
  events['log:line'].emit({ workerId: 'w', stream: 'stdout', line: 'x' })
  const [warning] = await warned
  published[Symbol.dispose]()
  openWatchFolder(folder)
  expect(warning).toMatchObject({ code: 'WATCH_WRITE_FAILED' })
})

test('a run whose folder cannot be used goes on, with a warning', async () => {
  await chmod(folder, 0o777)
  const warned = once(process, 'warning')
  const watching = startWatching(run, {
    ...resolveConfig({ manifest: {}, environment: {}, configured: [] }).run,
    watch: true,
    watchFolder: folder,
  })
  const [warning] = await warned
  watching[Symbol.dispose]()
  expect(warning).toMatchObject({ code: 'WATCH_FOLDER_UNSAFE' })
  expect(await readdir(folder)).toEqual([])
})

test('where nobody names a folder, it is below a folder of the user', () => {
  vi.stubEnv('XDG_STATE_HOME', join(folder, 'state'))
  const path = openWatchFolder(undefined)
  vi.unstubAllEnvs()
  expect(path).toBe(join(folder, 'state/turbolift/runs'))
})
