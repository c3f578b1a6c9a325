import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createConnection, createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import type { Duplex } from 'node:stream'
import { join } from 'node:path'

import { decodeValue, encodeArguments } from '@turbolift/worker-base/wire'
import type { WireValue } from '@turbolift/worker-base/wire'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { Dispatcher } from '../src/call/dispatcher.ts'
import { resolveConfig } from '../src/config/resolve.ts'
import type { CallRequest } from '../src/call/task.ts'
import { startLocalWorker } from '../src/deploy/local-worker.ts'
import type { LocalWorker } from '../src/deploy/local-worker.ts'
import type { Deployment, DeploymentEvents, WorkerAddress } from '../src/deploy/platform.ts'
import { extractFiles } from '../src/extract.ts'
import type { LiftManifest } from '../src/manifest.ts'
import { toManifest } from './program.ts'

const head = `import { existsSync } from 'node:fs'`
const functions = `
  square: async (n) => n * n,
  pid: async () => process.pid,
  rest: async (ms) => { await new Promise((resolve) => setTimeout(resolve, ms)) },
  untilExists: async (path) => { while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 5)); return path },
`

let folder: string
let manifest: LiftManifest
let platform: ScriptedPlatform
let dispatcher: Dispatcher

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dispatcher-'))
  manifest = await toManifest({ functions, head, main: '' })
  platform = new ScriptedPlatform(manifest, folder)
  dispatcher = createDispatcher({})
})
afterEach(async () => {
  await dispatcher[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

function createDispatcher(options: LiftManifest['options'], pingMs = 5_000): Dispatcher {
  const config = resolveConfig({ manifest: options, environment: {}, configured: [] })
  return new Dispatcher({
    name: 'default',
    pool: config.pool('default'),
    build: manifest.hash,
    pingMs,
    deploy: async (events) => platform.deploy(events),
    onLog: () => undefined,
  })
}

/** A deployment of real worker processes whose connections run through a relay that the test can disturb. */
class ScriptedPlatform {
  readonly asked: number[] = []
  readonly workers: Map<string, Promise<LocalWorker>> = new Map()
  readonly sockets: Set<Duplex> = new Set()
  /** Bytes from the worker after which a connection is cut. */
  cutAfter = Infinity
  slots = 1
  maxReplicas = 1
  isSizedElsewhere = false
  /** What each `scaleTo` throws. */
  refusal: Error | undefined
  events: DeploymentEvents | undefined
  readonly #manifest: LiftManifest
  readonly #folder: string
  #relays: Server[] = []

  constructor(manifestOf: LiftManifest, inFolder: string) {
    this.#manifest = manifestOf
    this.#folder = inFolder
  }

  async deploy(events: DeploymentEvents): Promise<Deployment> {
    this.events = events
    return {
      discard: (id) => void this.workers.get(id)?.then((worker) => worker.kill()),
      slotsPerWorker: this.slots,
      maxReplicas: this.maxReplicas,
      isSizedElsewhere: this.isSizedElsewhere,
      scaleTo: (replicas, { idle } = { idle: [] }) => {
        if (this.refusal !== undefined) throw this.refusal
        this.asked.push(replicas)
        for (const id of idle) void this.#stop(id)
        while (this.workers.size < replicas) this.#add(`w-${this.workers.size + 1}`)
      },
      [Symbol.asyncDispose]: async () => {
        await Promise.all([...this.workers.keys()].map((id) => this.#stop(id)))
        for (const relay of this.#relays) relay.close()
      },
    }
  }

  addAnother(): void {
    this.#add(`w-${this.workers.size + 1}`)
  }

  #add(id: string): void {
    this.workers.set(id, this.#start(id))
  }

  async #stop(id: string): Promise<void> {
    const worker = await this.workers.get(id)
    await worker?.stop({ graceMs: 1_000 })
  }

  async #start(id: string): Promise<LocalWorker> {
    const codeFolder = await extractFiles(this.#manifest, join(this.#folder, 'code'))
    const build = this.#manifest.hash
    const worker = startLocalWorker({
      id,
      codeFolder,
      runFolder: this.#folder,
      build,
      concurrency: this.slots,
      timeoutMs: 0,
      output: undefined,
    })
    this.events?.onWorker(await this.#relay(await worker.ready({ timeoutMs: 30_000 })))
    void worker.gone.then((reason) => this.events?.onWorkerGone(id, reason))
    return worker
  }

  cut(): void {
    for (const socket of this.sockets) socket.destroy()
  }

  async #relay(address: WorkerAddress): Promise<WorkerAddress> {
    const path = join(this.#folder, `${address.id}.relay`)
    const relay = createServer((near) => {
      // A worker that is gone looks through the relay like one that hangs up.
      this.#connect(near, address).catch(() => near.destroy())
    })
    this.#relays.push(relay)
    await new Promise<void>((resolve) => relay.listen(path, resolve))
    return { ...address, dial: async () => createConnection(path) }
  }

  async #connect(near: Socket, address: WorkerAddress): Promise<void> {
    const far = await address.dial({ signal: new AbortController().signal })
    let seen = 0
    for (const socket of [near, far]) {
      this.sockets.add(socket)
      socket
        .on('error', () => undefined)
        .on('close', () => {
          near.destroy()
          far.destroy()
          this.sockets.delete(socket)
        })
    }
    near.pipe(far)
    far.on('data', (chunk: Buffer) => {
      seen += chunk.length
      near.write(chunk)
      if (seen > this.cutAfter) near.destroy()
    })
  }
}

async function call(name: string, ...args: unknown[]): Promise<unknown> {
  return decodeValue(await submit(name, args).result)
}

function submit(name: string, args: readonly unknown[], signal?: AbortSignal): { readonly result: Promise<WireValue> } {
  const result = new Promise<WireValue>((resolve, reject) => {
    const value = encodeArguments([], args)
    if (value instanceof Promise) throw new Error('Not in these tests.')
    const request: CallRequest = {
      liftId: `main.ts#${name}`,
      captures: 0,
      value,
      results: 'whole',
      timeoutMs: undefined,
      signal,
      retry: {},
      mapId: undefined,
      name,
    }
    dispatcher.submit(request, { resolve, reject })
  })
  return { result }
}

test('a connection that is cut again and again loses nothing', async () => {
  platform.cutAfter = 400
  const results = await Promise.all(Array.from({ length: 100 }, (_, n) => call('square', n)))
  expect(results).toEqual(Array.from({ length: 100 }, (_, n) => n * n))
  expect(platform.asked).toEqual([1])
})

test('a call that runs while its connection breaks is made again, without the blame', async () => {
  platform.slots = 2
  const path = join(folder, 'signal')
  const held = call('untilExists', path)
  for (let broken = 0; broken < 4; broken += 1) {
    expect(await call('square', broken)).toBe(broken * broken)
    platform.cut()
  }
  await writeFile(path, '')
  expect(await held).toBe(path)
})

test('a signal ends a call that waits, and one that runs; the worker serves on', async () => {
  const controller = new AbortController()
  const running = submit('untilExists', ['/never'], controller.signal).result
  const waiting = submit('untilExists', ['/never'], controller.signal).result
  await vi.waitFor(() => expect(platform.sockets.size).toBe(2), { timeout: 20_000 })
  controller.abort(new Error('enough'))
  await expect(running).rejects.toThrow('enough')
  await expect(waiting).rejects.toThrow('enough')
  expect(await call('square', 3)).toBe(9)
})

test.skipIf(process.platform === 'win32')(
  'a worker that is stopped by the system is found out, ended and replaced',
  async () => {
    dispatcher = createDispatcher({}, 200)
    const pid = Number(await call('pid'))
    process.kill(pid, 'SIGSTOP')
    const held = call('square', 7)
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'), { timeout: 20_000, interval: 50 })
    platform.addAnother()
    expect(await held).toBe(49)
  },
)

test('asks for as many workers as there are calls, up to the most', async () => {
  platform.maxReplicas = 3
  await Promise.all(Array.from({ length: 20 }, (_, n) => call('square', n)))
  expect(platform.asked).toEqual([3])
})

test.each([
  { name: 'one by one', isSizedElsewhere: false, asked: [2, 1, 0] },
  { name: 'all at once where an autoscaler counts them', isSizedElsewhere: true, asked: [2, 0] },
])('idle workers go: $name', async ({ isSizedElsewhere, asked }) => {
  dispatcher = createDispatcher({ idleTimeoutMs: 50 })
  Object.assign(platform, { maxReplicas: 2, isSizedElsewhere })
  await Promise.all([call('rest', 50), call('rest', 1_000)])
  await vi.waitFor(() => expect(platform.asked.at(-1)).toBe(0), { timeout: 20_000 })
  expect(platform.asked).toEqual(asked)
})

test('what an autoscaler counts is left alone where a worker is to stay', async () => {
  dispatcher = createDispatcher({ idleTimeoutMs: 50, minReplicas: 1 })
  Object.assign(platform, { maxReplicas: 2, isSizedElsewhere: true })
  const [first] = await Promise.all([call('pid'), call('rest', 50), call('rest', 1_000)])
  // The idle time of the other one is over by now; it would be drained, and the calls would be made by one.
  const pids = new Set(await Promise.all(Array.from({ length: 20 }, () => call('pid').then(Number))))
  expect(platform.asked).toEqual([2])
  expect(pids.size).toBe(2)
  expect(pids).toContain(first)
})

test('a deployment that fails rejects what waits, and the next call tries anew', async () => {
  const deploy = vi.spyOn(platform, 'deploy').mockRejectedValueOnce(new Error('no place'))
  await expect(Promise.all([call('square', 1), call('square', 2)])).rejects.toThrow('no place')
  expect(await call('square', 3)).toBe(9)
  expect(deploy).toHaveBeenCalledTimes(2)
})

test('code that does not load fails the calls, those that wait and those to come', async () => {
  manifest = await toManifest({ functions, head: `throw new Error('no such model')`, main: '' })
  platform = new ScriptedPlatform(manifest, folder)
  dispatcher = createDispatcher({})
  const failure = { code: 'WORKER_FAILED', message: expect.stringContaining('no such model') }
  const calls = await Promise.allSettled([call('square', 1), call('square', 2)])
  expect(calls).toMatchObject([{ reason: failure }, { reason: failure }])
  await expect(call('square', 3)).rejects.toMatchObject(failure)
})

test('after the end calls are refused', async () => {
  expect(await call('square', 2)).toBe(4)
  await dispatcher[Symbol.asyncDispose]()
  await expect(call('square', 3)).rejects.toMatchObject({ name: 'CancelledError', code: 'RUN_ENDED' })
})

test('a platform that refuses workers has each call told so, until it does not', async () => {
  platform.refusal = new Error('no room')
  for (let n = 0; n < 3; n += 1) await expect(call('square', [n])).rejects.toThrow('no room')
  platform.refusal = undefined
  expect(await call('square', [3])).toBe(9)
  // Where there are workers, they do what there is to do.
  platform.maxReplicas = 3
  platform.refusal = new Error('no room for others')
  expect(await Promise.all([1, 2, 3, 4].map((n) => call('square', [n])))).toEqual([1, 4, 9, 16])
})

test('calls that are aborted hold no place in the queue', async () => {
  await dispatcher[Symbol.asyncDispose]()
  dispatcher = createDispatcher({ maxQueuedCalls: 2 })
  for (let turn = 0; turn < 5; turn += 1) {
    const controller = new AbortController()
    const aborted = [1, 2].map((n) => submit('square', [n], controller.signal).result)
    await expect(submit('square', [3]).result).rejects.toMatchObject({ code: 'QUEUE_FULL' })
    controller.abort(new Error('not needed'))
    for (const result of aborted) await expect(result).rejects.toThrow('not needed')
  }
  expect(await call('square', [4])).toBe(16)
})
