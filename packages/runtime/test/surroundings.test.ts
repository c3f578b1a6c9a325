import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

import { expect, test } from 'vitest'

import { createProgram } from './program.ts'

test('workers that cannot load their code are told so at once', async () => {
  await using program = await createProgram({
    functions: 'square: async (n) => n * n,',
    head: "throw new Error('no such library')",
    main: 'await square(1).catch(({ code, message }) => console.log(code, message.includes("no such library")))',
  })
  expect((await program.run()).stdout).toBe('WORKER_FAILED true\n')
  expect(await program.leftovers()).toEqual([])
})

test('a temporary folder that cannot be used is named', async () => {
  await using program = await createProgram({
    functions: 'square: async (n) => n * n,',
    main: 'await square(1).catch(({ code, message }) => console.log(code, message))',
  })
  const { stdout } = await program.run({ TMPDIR: '/dev/null/nowhere' })
  expect(stdout).toMatch(/^FOLDER_UNUSABLE Worker files cannot be written to "\/dev\/null\/nowhere"/)
})

test('one signal may be that of any number of calls', async () => {
  await using program = await createProgram({
    functions: 'hold: async () => new Promise(() => {}),',
    main: `
      const controller = new AbortController()
      const held = turbolift.lift(hold, { signal: controller.signal })
      const calls = Promise.allSettled(Array.from({ length: 100 }, () => held()))
      setTimeout(() => controller.abort(), 300)
      console.log(new Set((await calls).map(({ reason }) => reason.name)))`,
  })
  expect(await program.run()).toMatchObject({ stdout: "Set(1) { 'AbortError' }\n", stderr: '' })
})

test('a reader that goes away, as "head" does, does not end the program', async () => {
  await using program = await createProgram({
    functions: "talk: async (n) => { console.log('line ' + n); return n },",
    main: 'for (let n = 0; n < 50; n += 1) await talk(n)',
  })
  const child = program.start()
  child.stdout.once('data', () => child.stdout.destroy())
  const said = text(child.stderr)
  expect(await once(child, 'exit')).toEqual([0, null])
  expect(await said).toBe('')
})

test('nor does one of the lines that tell of a map', async () => {
  await using program = await createProgram({
    functions: 'square: async (n) => n * n,',
    options: { progress: true },
    main: `
      const inputs = function* () { for (const end = Date.now() + 1200; Date.now() < end;) yield 1 }
      for (let turn = 0; turn < 3; turn += 1) await map(square, inputs())`,
  })
  // A pipe of the shell: those of Node between its own processes are sockets, which tell of it in another way.
  const shell = `{ "$0" "$1"; echo "exit code $?" >&3; } 3>&2 2>&1 | head -n 1`
  const child = spawn('sh', ['-c', shell, process.execPath, program.path])
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  expect(stdout).toMatch(/^turbolift: square: .* done/)
  expect(stderr).toBe('exit code 0\n')
})

test('lines that are too many are counted', async () => {
  await using program = await createProgram({
    functions: "talk: async (n) => { for (let line = 0; line < n; line += 1) console.log('line') },",
    main: 'await talk(50_000)',
  })
  const { stdout } = await program.run()
  const shown = stdout.match(/^\[worker 1\] line$/gm)?.length ?? 0
  const leftOut = [...stdout.matchAll(/^\[worker 1\] \((\d+) lines left out\)$/gm)].map(([, count]) => Number(count))
  expect(shown + leftOut.reduce((sum, count) => sum + count, 0)).toBe(50_000)
  expect(stdout).not.toMatch(/^\[worker 1\] ?$/m)
})

test('an error that nothing catches is told with the places of the user alone', async () => {
  await using program = await createProgram({
    functions: `stray: async () => {
      void Promise.reject(new Error('nobody listens'))
      await new Promise((resolve) => setTimeout(resolve, 10_000))
    },`,
    main: 'await stray().catch(({ code, message }) => console.log(code, message))',
  })
  const { stdout } = await program.run()
  expect(stdout).toMatch(
    /^WORKER_LOST .*\n {2}why: an uncaught error ended it: Error: nobody listens\n {4}at .*functions\.js:/,
  )
  expect(stdout).not.toContain(program.temporary)
  expect(stdout).not.toContain('executor.js')
})
