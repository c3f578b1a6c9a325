import { once } from 'node:events'
import type { Duplex } from 'node:stream'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createTestNamespace } from '../../../../test/cluster/namespace.ts'
import type { TestNamespace } from '../../../../test/cluster/namespace.ts'
import { containerSecurity, podSecurity } from './objects.ts'

// Sends back what it gets on 8080; on 8081 it counts the bytes it was sent and reads none until told to by 8082.
const program = `
const net = require('node:net')
let held
net.createServer((socket) => socket.pipe(socket)).listen(8080)
net.createServer((socket) => { held = socket; socket.pause() }).listen(8081)
net.createServer((socket) => {
  let bytes = 0
  held.on('data', (chunk) => { bytes += chunk.length })
  held.on('end', () => socket.end(String(bytes)))
}).listen(8082)
`

let space: TestNamespace
beforeAll(async () => {
  space = await createTestNamespace('reach')
  const image = `node:${process.versions.node.split('.')[0]}-slim`
  const container = { name: 'echo', image, command: ['node', '-e', program], securityContext: containerSecurity }
  const spec = { containers: [container], securityContext: podSecurity, terminationGracePeriodSeconds: 0 }
  await space.client.create('Pod', { metadata: { name: 'echo' }, spec })
  await untilRunning()
})
afterAll(() => space[Symbol.asyncDispose]())

async function untilRunning(): Promise<void> {
  const signal = AbortSignal.timeout(60_000)
  for await (const event of space.client.watch('Pod', { signal })) {
    if (event.type !== 'SYNCED' && event.object.status?.phase === 'Running') return
  }
}

const open = (port: number) => space.client.forwardPort('echo', port, { signal: AbortSignal.timeout(10_000) })

describe('port-forward', () => {
  test('carries bytes both ways as they are, in any sizes', async () => {
    const stream = await open(8080)
    for (const size of [1, 2, 32 * 1024 - 1, 32 * 1024 + 1, 5_000_000]) {
      const sent = Buffer.alloc(size).map((_, index) => (index * 31) % 256)
      stream.write(sent)
      expect(Buffer.compare(await read(stream, size), sent)).toBe(0)
    }
    stream.destroy()
  })

  test('holds the sender back when the pod does not read', async () => {
    const stream = await open(8081)
    const chunk = Buffer.alloc(1024 * 1024)
    let sent = 0
    // What fits into buffers on the way goes; then nothing more is taken, however long one waits.
    while (await isTaken(stream, chunk)) sent += 1
    expect(sent).toBeLessThan(64)
    expect(stream.writableNeedDrain).toBe(true)
    stream.destroy()
  })

  test('holds the pod back when nobody reads here', async () => {
    const stream = await open(8080)
    const chunk = Buffer.alloc(1024 * 1024)
    let sent = 0
    while (await isTaken(stream, chunk)) sent += 1
    expect(sent).toBeLessThan(96)
    // Everything is still there, in order.
    expect((await read(stream, sent * chunk.length)).length).toBe(sent * chunk.length)
    stream.destroy()
  })

  test('a port where nobody listens is an error that says so', async () => {
    const stream = await open(9999)
    const [error] = await once(stream, 'error')
    expect(error).toMatchObject({ code: 'PORT_FORWARD_FAILED', message: expect.stringMatching(/9999/) })
  })

  test('a pod that does not exist is an error that says so', async () => {
    const stream = space.client.forwardPort('none', 8080, { signal: AbortSignal.timeout(10_000) })
    await expect(stream).rejects.toMatchObject({ message: expect.stringMatching(/pods "none" not found/) })
  })

  test('ends when the pod does', async () => {
    const stream = await open(8080)
    stream.resume()
    await space.client.remove('Pod', 'echo', { graceSeconds: 0 })
    await once(stream, 'close')
  })
})

/** Whether a chunk leaves the stream's own buffer within a moment. */
async function isTaken(stream: Duplex, chunk: Buffer): Promise<boolean> {
  const written = new Promise<boolean>((resolve) => stream.write(chunk, () => resolve(true)))
  const waited = new Promise<boolean>((resolve) => setTimeout(resolve, 1_000, false))
  return Promise.race([written, waited])
}

async function read(stream: Duplex, length: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  for (let got = 0; got < length;) {
    const chunk: Buffer | null = stream.read()
    if (chunk === null) await once(stream, 'readable')
    else chunks.push(chunk)
    got = chunks.reduce((sum, { length: bytes }) => sum + bytes, 0)
  }
  return Buffer.concat(chunks)
}
