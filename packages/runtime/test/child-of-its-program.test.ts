import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

import { expect, test, vi } from 'vitest'

import { createProgram, waitForEnd } from './program.ts'

/** Code of a lifted function's module that starts a process which would run for long. */
const head = `
  import { execFileSync, spawn } from 'node:child_process'
  import { readFileSync, writeFileSync } from 'node:fs'
  import { join } from 'node:path'
  const forever = ['-c', 'echo $$ > "$TMPDIR/pid"; exec sleep 120']`

async function readPid(folder: string): Promise<number> {
  return await vi.waitFor(
    async () => {
      const pid = Number(await readFile(join(folder, 'pid'), 'utf8'))
      expect(pid).toBeGreaterThan(0)
      return pid
    },
    { timeout: 30_000, interval: 20 },
  )
}

/** A zombie has ended; its parent has only not asked yet how. */
function isAlive(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
  return stdout.trim() !== '' && !stdout.startsWith('Z')
}

const untilEnded = (pid: number) =>
  vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 10_000, interval: 20 })

test('lifted functions have the command line, the flags, the title and the folder of the program', async () => {
  await using program = await createProgram({
    functions: `look: async () => [process.argv, typeof gc, process.title, process.cwd()],`,
    main: `
      process.title = 'my program'
      const own = [process.argv, typeof gc, process.title, process.cwd()]
      console.log(JSON.stringify(await look()) === JSON.stringify(own), process.argv.slice(2).join())`,
  })
  const args = ['--expose-gc', program.path, 'render', '--scale=3', '']
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: program.temporary })
  expect({ stdout, stderr }).toEqual({ stdout: 'true render,--scale=3,\n', stderr: '' })
})

test('they have its environment, and nothing of ours in it', async () => {
  await using program = await createProgram({
    functions: `names: async () => Object.keys(process.env).sort().join(),`,
    main: `
      process.env.SET_BEFORE_THE_FIRST_CALL = '1'
      console.log(await names() === Object.keys(process.env).sort().join())`,
  })
  expect(await program.run()).toMatchObject({ stdout: 'true\n', stderr: '' })
})

test('a program that lifts functions may be started by a lifted function', async () => {
  await using program = await createProgram({
    functions: `
      double: async (n) => n * 2,
      start: async () => execFileSync(process.execPath, [process.argv[1], 'inner'], { encoding: 'utf8' }).trim(),`,
    head,
    main: `console.log(process.argv[2] === 'inner' ? await double(4) : await start())`,
  })
  expect(await program.run()).toMatchObject({ stdout: '8\n', stderr: '' })
})

test('their standard input is empty', async () => {
  await using program = await createProgram({
    functions: `
      read: async () => readFileSync(0, 'utf8').length,
      wait: async () => { for await (const _ of process.stdin) return 'something'; return 'nothing' },
      pass: async () => execFileSync('cat', { stdio: ['inherit', 'pipe', 'pipe'] }).length,`,
    head,
    main: `console.log(await read(), await wait(), await pass())`,
  })
  const child = program.start()
  const said = text(child.stdout)
  // It stays open, and holds something: that is the program's alone.
  child.stdin.write('for the program')
  expect(await said).toBe('0 nothing 0\n')
})

test('calls work in a folder that was removed', async () => {
  await using program = await createProgram({
    functions: `
      square: async (n) => n * n,
      die: async () => process.exit(3),`,
    main: `
      await square(2)
      ;(await import('node:fs')).rmdirSync(process.cwd())
      await die().catch(({ code }) => console.log(code))
      console.log(await square(3))`,
  })
  const cwd = join(program.temporary, 'gone')
  await mkdir(cwd)
  const { stdout } = spawnSync(process.execPath, [program.path], { encoding: 'utf8', cwd })
  expect(stdout).toBe('WORKER_LOST\n9\n')
})

test('a temporary folder may be long in bytes alone', async () => {
  await using program = await createProgram({
    functions: `square: async (n) => n * n,`,
    main: `console.log(await square(3))`,
  })
  const TMPDIR = join(program.temporary, '日'.repeat(20))
  await mkdir(TMPDIR)
  expect(await program.run({ TMPDIR })).toMatchObject({ stdout: '9\n', stderr: '' })
})

test.skipIf(process.platform !== 'linux').each([
  ['that it waits for', `await new Promise((done) => spawn('sh', forever).once('exit', done))`],
  ['that blocks it', `execFileSync('sh', forever)`],
  ['of a shell', `execFileSync('sh', ['-c', '(sh -c "$0"; true)', forever[1]])`],
])('a process %s ends with a call that takes too long', async (_, code) => {
  await using program = await createProgram({
    functions: `
      convert: async () => { ${code} },
      square: async (n) => n * n,`,
    head,
    options: { timeoutMs: 2500, maxReplicas: 1 },
    main: `
      const outcomes = await Promise.allSettled([convert(), square(3)])
      console.log(outcomes.map(({ reason, value }) => reason?.code ?? value).join())
      process.stdin.resume().once('end', () => process.exit())`,
  })
  const child = program.start()
  await once(child.stdout, 'data').then(([bytes]) => expect(String(bytes)).toBe('CALL_TIMEOUT,9\n'))
  await untilEnded(await readPid(program.temporary))
  await waitForEnd(child)
})

test.skipIf(process.platform === 'win32').each(['exit', 'SIGTERM', 'SIGKILL'] as const)(
  'what a function has started and left ends with the program: %s',
  async (how) => {
    await using program = await createProgram({
      functions: `start: async () => { spawn('sh', forever, { stdio: 'ignore' }).unref() },`,
      head,
      main: `await start(); console.log('started'); process.stdin.resume().once('end', () => process.exit())`,
    })
    const child = program.start()
    await once(child.stdout, 'data')
    const pid = await readPid(program.temporary)
    expect(isAlive(pid)).toBe(true)
    if (how === 'exit') child.stdin.end()
    else child.kill(how)
    await waitForEnd(child)
    await untilEnded(pid)
    await rm(join(program.temporary, 'pid'))
    await vi.waitFor(async () => expect(await program.leftovers()).toEqual([]), { timeout: 10_000, interval: 20 })
  },
)

test('one that is detached is meant to live on', async () => {
  await using program = await createProgram({
    functions: `start: async () => { spawn('sh', forever, { stdio: 'ignore', detached: true }).unref() },`,
    head,
    main: `await start()`,
  })
  await program.run()
  const pid = await readPid(program.temporary)
  expect(isAlive(pid)).toBe(true)
  process.kill(pid, 'SIGKILL')
})

test.each(['local', 'inline'])('a signal ends a program that computes without a pause: %s', async (target) => {
  await using program = await createProgram({
    functions: `square: async (n) => n * n,`,
    main: `
      void square(2)
      await square(3)
      process._rawDebug('computing')
      for (;;);`,
  })
  const child = program.start({ TURBOLIFT_TARGET: target })
  await once(child.stderr, 'data')
  child.kill('SIGTERM')
  expect(await waitForEnd(child)).toMatchObject({ exitCode: null, signal: 'SIGTERM' })
})

test.each([
  ['once', `process.once('SIGTERM', finish)`],
  ['events.once', `void once(process, 'SIGTERM').then(finish)`],
  ['one that is set during a call', `void square(1).then(() => process.on('SIGTERM', finish))`],
])("the program's own handling of a signal stands: %s", async (_, code) => {
  await using program = await createProgram({
    functions: `
      square: async (n) => n * n,
      hold: async (ms) => new Promise((done) => setTimeout(() => done('held'), ms)),`,
    main: `
      const { once } = await import('node:events')
      const finish = async () => { console.log(await held, await square(3)); process.exit(5) }
      ${code}
      const held = hold(1500)
      console.log(await square(2))
      await new Promise((done) => setTimeout(done, 1e8))`,
  })
  const child = program.start()
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  expect(await waitForEnd(child)).toMatchObject({ exitCode: 5, signal: null, stdout: 'held 9\n' })
})

test('what is written keeps its encoding, and writing tells when it is done', async () => {
  await using program = await createProgram({
    functions: `
      write: async () => {
        process.stdout.write('68656c6c6f0a', 'hex')
        process.stdout.cork()
        process.stdout.write('d29ybGQ', 'base64')
        process.stdout.write(Uint8Array.of(33, 10))
        process.stdout.uncork()
        await new Promise((done) => process.stdout.write('done\\n', 'latin1', done))
        const errors = [() => process.stdout.write(1), () => process.stdout.write('a', 'no-such')]
        return errors.map((fail) => { try { fail(); return 'none' } catch ({ code }) { return code } }).join()
      },`,
    options: { workerOutput: 'raw' },
    main: `console.log(await write())`,
  })
  const { stdout } = await program.run()
  expect(stdout).toBe('hello\nworld!\ndone\nERR_INVALID_ARG_TYPE,ERR_UNKNOWN_ENCODING\n')
})

test('a line of megabytes comes out whole', async () => {
  await using program = await createProgram({
    functions: `print: async (bytes) => console.log('x'.repeat(bytes)),`,
    options: { workerOutput: 'raw' },
    main: `await print(3_000_000)`,
  })
  const { stdout } = await program.run()
  expect([stdout.length, stdout.endsWith('x\n')]).toEqual([3_000_001, true])
})

test('a worker that is gone with its program leaves no folder', async () => {
  await using program = await createProgram({
    functions: `
      hang: async () => { for (;;); },
      square: async (n) => n * n,`,
    main: `await square(1); void hang(); console.log('ready')`,
  })
  const child = program.start()
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  // The output ends when the workers have tidied up: nothing has to be waited for after that.
  expect(await waitForEnd(child)).toMatchObject({ exitCode: null, signal: 'SIGTERM', stderr: '' })
  expect(await program.leftovers()).toEqual([])
  expect(existsSync(program.temporary)).toBe(true)
})
