import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { startLocalWorker } from './local-worker.ts'

let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turbolift-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

async function startWorker(code: string) {
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await writeFile(join(folder, 'worker.js'), `import { createServer } from 'node:net'\n${code}`)
  return startLocalWorker({
    id: 'w-1',
    codeFolder: folder,
    runFolder: folder,
    build: 'b',
    concurrency: 1,
    timeoutMs: 0,
    output: undefined,
  })
}

describe('a local worker', () => {
  it('that ends before it takes the connection it was asked for leaves the program alive', async () => {
    // It listens, is too busy to accept, and ends: the system resets what waits to be accepted.
    const worker = await startWorker(`
      createServer().listen(process.env.TURBOLIFT_LISTEN, () => {
        process.on('exit', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500))
        process.exit(3)
      })`)
    const address = await worker.ready({ timeoutMs: 20_000 })
    expect((await worker.gone).message).toContain('3')
    // A reset would come now, with nobody but the worker's own listener to hear it.
    await new Promise((resolve) => setImmediate(resolve))
    await expect(address.dial({ signal: new AbortController().signal })).rejects.toThrow(/ENOENT|ECONNREFUSED/)
  })

  it.skipIf(process.platform !== 'linux')('gets its token where its code cannot read it afterwards', async () => {
    vi.stubEnv('TURBOLIFT_TOKEN', 'of-somebody-else')
    const worker = await startWorker(`
      import { readFileSync } from 'node:fs'
      import { Socket } from 'node:net'
      new Socket({ fd: 3 }).once('data', (line) => {
        const environment = readFileSync('/proc/self/environ', 'latin1')
        createServer((socket) => socket.end(line + environment)).listen(process.env.TURBOLIFT_LISTEN)
      })`)
    vi.unstubAllEnvs()
    const address = await worker.ready({ timeoutMs: 20_000 })
    const stream = await address.dial({ signal: new AbortController().signal })
    const [line, environment] = (await text(stream)).split('\n', 2)
    worker.kill()
    await worker.gone
    expect(line).toBe(address.token)
    expect(environment).toContain('TURBOLIFT_LISTEN=')
    expect(environment).not.toMatch(/TURBOLIFT_TOKEN|of-somebody-else/)
    expect(environment).not.toContain(address.token)
  })
})
