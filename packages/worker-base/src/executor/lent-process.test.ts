import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'

const inline = new URL('../../dist/inline.js', import.meta.url).href

/** A program that runs lifted code in itself, and prints what it does until it ends by itself. */
function run(lifted: string, after = ''): { readonly status: number | null; readonly stdout: string } {
  const folder = mkdtempSync(join(tmpdir(), 'inline-'))
  writeFileSync(join(folder, 'functions.mjs'), lifted)
  const program = `
    import { createInlineWorker } from ${JSON.stringify(inline)}
    const answers = []
    let heard
    const options = { functions: 'file://' + process.argv[1], workerId: 'w', onMessage: (message) => heard(message.kind) }
    const worker = await createInlineWorker(options)
    const call = (id, hold = setInterval(() => undefined, 1000)) => new Promise((resolve) => {
      heard = resolve
      worker.send({ kind: 'call', id, liftId: 'f', captures: 0, attempt: 1, timeoutMs: 0, value: { format: 'json', text: '[]', parts: [] } })
    }).finally(() => clearInterval(hold))
    process.once('beforeExit', () => {
      console.log('nothing to do')
      const hold = setInterval(() => undefined, 1000)
      void worker.stop().finally(() => clearInterval(hold))
    })
    console.log(await call(1))
    ${after}`
  try {
    const words = ['--input-type=module', '-e', program, join(folder, 'functions.mjs')]
    return spawnSync(process.execPath, words, { encoding: 'utf8', timeout: 60_000 })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test.each([
  ['a timer of its module', `setInterval(() => {}, 1000)`, ''],
  ['a timer of a call', '', 'setInterval(() => {}, 1000)'],
  [
    'a server and a connection to it, both ends',
    `import { createServer, connect } from 'node:net'`,
    `
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.on('listening', resolve))
    const socket = connect(server.address().port, '127.0.0.1')
    await Promise.all([new Promise((resolve) => server.on('connection', resolve)), new Promise((resolve) => socket.on('connect', resolve))])`,
  ],
  [
    'a child process',
    `import { spawn } from 'node:child_process'`,
    `
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] })
    await new Promise((resolve) => child.on('spawn', resolve))`,
  ],
])('the program ends by itself, though lifted code has left %s', (_, head, body) => {
  const { status, stdout } = run(`${head}\nexport const functions = { f: () => async () => { ${body} } }`)
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'result\nnothing to do\n' })
})

test('what the program itself opens after a call keeps it alive', () => {
  const { stdout } = run(
    'export const functions = { f: () => async () => {} }',
    `setTimeout(() => console.log('later'), 50)`,
  )
  expect(stdout).toBe('result\nlater\nnothing to do\n')
})
