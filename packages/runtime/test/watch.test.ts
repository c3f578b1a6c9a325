import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { WatchedRuns } from '../src/watch/runs.ts'
import type { WatchedRun } from '../src/watch/runs.ts'
import { openWatchFolder } from '../src/watch/watch-folder.ts'
import { createProgram, waitForEnd } from './program.ts'
import type { Program } from './program.ts'
import { createScreen } from './screen.ts'

const commandLine = new URL('../dist/cli/main.js', import.meta.url).pathname

let folder: string
let runs: string
let program: Program
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turbolift-watched-'))
  runs = openWatchFolder(join(folder, 'runs'))
  program = await createProgram({
    functions: `square: async (n) => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      if (n === 13) throw new RangeError('thirteen')
      if (n < 0) process.kill(process.pid, 'SIGKILL')
      return n * n
    },
    talk: async (n) => {
      console.log('working on ' + n)
      await new Promise((resolve) => setTimeout(resolve, 150))
      return n
    },
    flaky: async (tries) => {
      const { attempt } = globalThis[Symbol.for('turbolift.context')].current()
      if (attempt < tries) throw new Error('try ' + attempt)
      return attempt
    },
    context: async () => globalThis[Symbol.for('turbolift.context')].current().carrier,`,
    main: `
      const { events = '', count = '40' } = process.env
      for (const name of events.split(',').filter(Boolean)) turbolift.on(name, (event) => console.log(name, tell(event)))
      const tell = ({ workerId = '', attempt = '', error, counts }) =>
        [workerId, attempt, error?.message.split('\\n')[0] ?? '', JSON.stringify(counts) ?? ''].join(' ').trim()
      turbolift.on('call:queued', ({ carrier }) => Object.assign(carrier, { traceparent: '00-1' }))
      if (process.env.what === 'carrier') console.log(JSON.stringify(await context()))
      else if (process.env.what === 'lose') await square(-1).catch(() => {})
      else if (process.env.what === 'flaky') {
        const options = { retries: 2, retryDelayMs: 1 }
        console.log('result', await map(flaky, [3], options), await turbolift.lift(flaky, options)(2))
        await turbolift.lift(flaky, options)(9).catch(({ message }) => console.log('error', message))
        const between = { retries: 1, retryDelayMs: 1e6, signal: AbortSignal.timeout(500) }
        await turbolift.lift(flaky, between)(2).catch(({ name }) => console.log('error', name))
      }
      else if (process.env.what === 'talk') await map(talk, Array.from({ length: 20 }, (_, n) => n))
      else await map(square, Array.from({ length: Number(count) }, (_, n) => n), { onError: 'skip' })`,
    options: { maxReplicas: 2 },
  })
})
afterAll(async () => {
  await program[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

describe('events', () => {
  test('tell of a map, its workers and its calls, in order', async () => {
    const events = 'run:started,worker:started,worker:ready,worker:gone,map:started,map:ended,call:failed,run:ended'
    const { stdout, exitCode } = await program.run({ events, count: '20', TURBOLIFT_MAX_REPLICAS: '1' })
    expect(exitCode).toBe(0)
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.trim()),
    ).toEqual(
      [
        'map:started {"total":20,"inFlight":0,"done":0,"failed":0,"cached":0}',
        'worker:started worker-1',
        'worker:ready worker-1',
        'call:failed worker-1 1 thirteen',
        'map:ended {"total":20,"inFlight":0,"done":19,"failed":1,"cached":0}',
        'worker:gone worker-1',
        'run:ended',
      ].flatMap((line, index) => (index === 0 ? ['run:started', line] : [line])),
    )
  })

  test('tell of a call that is tried again on other workers, and of why it failed', async () => {
    const { stdout } = await program.run({ events: 'call:retried,call:failed', what: 'lose' })
    const lines = stdout.trim().split('\n')
    expect(lines).toHaveLength(3)
    expect(lines.slice(0, 2).join()).toMatch(/^call:retried worker-1 1 .*,call:retried worker-2 2 /)
    expect(lines[2]).toMatch(/^call:failed worker-3 3 /)
  })

  test.each(['local', 'inline'])('count the attempts of one call that the options ask for: %s', async (target) => {
    const events = 'call:queued,call:started,call:retried,call:done,call:failed'
    const { stdout, exitCode } = await program.run({ TURBOLIFT_TARGET: target, events, what: 'flaky' })
    expect(exitCode).toBe(0)
    const lines = stdout
      .trim()
      .replaceAll(/ (worker-\d|inline)/g, '')
      .split('\n')
    const tries = (count: number) =>
      Array.from({ length: count }, (_, index) => [
        `call:started ${index + 1}`,
        `call:retried ${index + 1} try ${index + 1}`,
      ]).flat()
    const calls = [
      ['call:queued', ...tries(2), 'call:started 3', 'call:done 3'],
      ['call:queued', ...tries(1), 'call:started 2', 'call:done 2', 'result [ 3 ] 2'],
      ['call:queued', ...tries(2), 'call:started 3', 'call:failed 3 try 3', 'error try 3'],
      ['call:queued', ...tries(1), 'call:failed 1 The operation was aborted due to timeout', 'error TimeoutError'],
    ]
    expect(lines.map((line) => line.trim())).toEqual(calls.flat())
  })

  test.each(['local', 'inline'])('carry the trace context to the function: %s', async (target) => {
    const { stdout } = await program.run({ TURBOLIFT_TARGET: target, what: 'carrier' })
    expect(stdout).toBe('{"traceparent":"00-1"}\n')
  })
})

describe('watching', () => {
  test('a run is seen while it runs and when it was killed; others leave no file', async () => {
    await program.run({ TURBOLIFT_WATCH_FOLDER: runs })
    expect(await readdir(runs)).toEqual([])
    const child = program.start({ TURBOLIFT_WATCH: '1', TURBOLIFT_WATCH_FOLDER: runs, count: '100000' })
    const isReady = ({ workers }: WatchedRun) => workers.filter(({ state }) => state === 'ready').length === 2
    const running = await waitForRun((run) => (run.maps[0]?.done ?? 0) > 20 && isReady(run))
    child.kill('SIGKILL')
    await once(child, 'exit')
    const [killed] = await new WatchedRuns(runs).read()
    expect(running).toMatchObject({ program: 'test', target: 'local', state: 'running', maps: [{ total: 100_000 }] })
    expect(running.workers.map(({ state }) => state)).toEqual(['ready', 'ready'])
    expect(killed?.state).toBe('died')
  })

  test('"turbolift watch" runs a program and serves what it does', async () => {
    const child = spawn(
      process.execPath,
      [commandLine, 'watch', '--folder', runs, '--', process.execPath, program.path],
      {
        env: { ...process.env, TMPDIR: program.temporary, count: '60' },
      },
    )
    const [address] = await once(createInterface(child.stdout), 'line')
    const run = await waitForRun(({ state }) => state === 'ended')
    const page = await fetch(String(address))
    child.kill('SIGINT')
    const { exitCode, stderr } = await waitForEnd(child)
    expect(exitCode).toBe(0)
    expect(stderr).toContain('ended with exit code 0')
    expect(page.headers.get('content-type')).toContain('text/html')
    expect(run.functions).toMatchObject([{ id: 'main.ts#square', done: 59, failed: 1 }])
    expect(run.errors[0]).toMatchObject({ name: 'RangeError', message: 'thirteen' })
  })

  async function waitForRun(isWanted: (run: WatchedRun) => boolean): Promise<WatchedRun> {
    const watched = new WatchedRuns(runs)
    return vi.waitFor(
      async () => {
        const run = (await watched.read())[0]
        if (run === undefined || !isWanted(run)) throw new Error(`Not yet: ${JSON.stringify(run)}`)
        return run
      },
      { timeout: 60_000, interval: 50 },
    )
  }
})

describe('progress', () => {
  test('in a real terminal, one line below what workers print, and a summary at the end', async () => {
    const screen = createScreen({ columns: 70, rows: 60 })
    // `script` runs the program in a terminal of its own and passes on what it wrote there.
    const command = `stty cols 70; exec ${process.execPath} ${program.path}`
    const child = spawn('script', ['-qefc', command, '/dev/null'], { env: { ...withoutTest(), what: 'talk' } })
    const terminal = screen.createStream()
    child.stdout.on('data', (chunk: Buffer) => terminal.write(chunk))
    await once(child, 'exit')
    const lines = await screen.read()
    expect(screen.written).toMatch(/talk .*\d+ in flight/)
    const printed = lines.slice(0, -1).map((line) => line.replace(/^\[worker \d\] /, ''))
    const expected = Array.from({ length: 20 }, (_, n) => `working on ${n}`)
    expect(printed.toSorted()).toEqual(expected.toSorted())
    expect(lines.at(-1)).toMatch(/^talk: 20 done in \d\.\d s, \d+(\.\d)?\/s$/)
  })

  test('in a pipe a few plain lines on stderr, and none when told', async () => {
    const quiet = { ...withoutTest(), what: 'talk', TURBOLIFT_WORKER_OUTPUT: 'none' }
    const shown = await program.run({ ...quiet, TURBOLIFT_PROGRESS: '1' })
    const hidden = await program.run({ ...quiet, TURBOLIFT_PROGRESS: '0' })
    expect(shown.stderr).toMatch(/^(turbolift: talk: \d+\/20 \d+ %, .*\n)+turbolift: talk: 20 done in .*\n$/)
    expect([shown.stdout, hidden.stdout, hidden.stderr]).toEqual(['', '', ''])
  })

  /** As outside of a test, where nobody has to ask for progress. */
  function withoutTest(): Record<string, string> {
    const entries = Object.entries(process.env).filter(([name]) => !['VITEST', 'CI'].includes(name))
    return Object.fromEntries(entries.map(([name, value]) => [name, value ?? '']))
  }
})
