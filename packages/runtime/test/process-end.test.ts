import { once } from 'node:events'

import { expect, test } from 'vitest'

import { createProgram, waitForEnd } from './program.ts'

const functions = `
  square: async (n) => n * n,
  hang: async () => { for (;;); },
  wait: async (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
`
const stopHook = (code: string) => `globalThis[Symbol.for('turbolift.context')]?.addStopHook(async () => { ${code} })`

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('two bundles in one process end together at %s', async (signal) => {
  await using other = await createProgram({ functions, head: '// another build', main: `await square(1); hang()` })
  const main = `await import(process.env.OTHER); await square(1); hang(); console.log('ready'); await wait(1e8)`
  await using program = await createProgram({ functions, main })
  const child = program.start({ OTHER: other.path })
  await once(child.stdout, 'data')
  child.kill(signal)
  expect(await waitForEnd(child)).toMatchObject({ exitCode: null, signal, stderr: '' })
  expect(await program.leftovers()).toEqual([])
})

test('stop hooks run at the end of the program, and what they print is shown', async () => {
  const source = { functions, head: stopHook(`console.log('closed')`), options: { maxReplicas: 1 } }
  await using program = await createProgram({ ...source, main: `console.log(await square(3))` })
  expect(await program.run()).toMatchObject({ exitCode: 0, stdout: '9\n[worker 1] closed\n', stderr: '' })
  expect(await program.leftovers()).toEqual([])
})

test('Ctrl-C ends the program at once, and its workers close what they opened before its output ends', async () => {
  const closed = `process.env.TMPDIR + '/closed'`
  const head = `
    import { writeFileSync } from 'node:fs'
    ${stopHook(`console.log('closing'); await new Promise((done) => setTimeout(done, 300)); writeFileSync(${closed}, '')`)}`
  await using program = await createProgram({
    functions,
    head,
    options: { maxReplicas: 1 },
    main: `await square(1); console.log('ready'); setTimeout(() => {}, 1e8)`,
  })
  const child = program.start()
  await once(child.stdout, 'data')
  child.kill('SIGINT')
  expect(await waitForEnd(child)).toMatchObject({ exitCode: null, signal: 'SIGINT', stderr: '' })
  expect(await program.leftovers()).toEqual(['closed'])
})

test('workers that do not come to an end do not hold its output for ever', async () => {
  const head = stopHook(`await new Promise((resolve) => setTimeout(resolve, 1e8))`)
  await using program = await createProgram({
    functions,
    head,
    main: `await square(1); console.log('ready'); setTimeout(() => {}, 1e8)`,
  })
  const child = program.start()
  await once(child.stdout, 'data')
  child.kill('SIGINT')
  expect(await waitForEnd(child)).toMatchObject({ exitCode: null, signal: 'SIGINT' })
  expect(await program.leftovers()).toEqual([])
})

test('a program with its own handler goes on, and its workers with it', async () => {
  const main = `
    process.on('SIGTERM', async () => { console.log('handled', await square(4)); process.exit(5) })
    await square(1)
    console.log('ready')
    await wait(1e8)`
  await using program = await createProgram({ functions, main })
  const child = program.start()
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  expect(await waitForEnd(child)).toMatchObject({ exitCode: 5, signal: null, stdout: 'handled 16\n' })
  expect(await program.leftovers()).toEqual([])
})

test('work that begins when the program was about to end is done', async () => {
  const main = `
    let left = 2
    process.on('beforeExit', async () => { if (left-- > 0) console.log(await square(left)) })
    console.log(await square(5))`
  await using program = await createProgram({ functions, main })
  expect(await program.run()).toMatchObject({ exitCode: 0, stdout: '25\n1\n0\n', stderr: '' })
  expect(await program.leftovers()).toEqual([])
})
