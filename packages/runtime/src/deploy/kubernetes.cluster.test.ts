import { performHandshake } from '@turbolift/worker-base/wire'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createTestNamespace } from '../../../../test/cluster/namespace.ts'
import type { TestNamespace } from '../../../../test/cluster/namespace.ts'
import { listAll } from '../../../../test/cluster/wait.ts'
import { imageOptions } from '../../test/build-site.ts'
import { createClusterProgram } from '../../test/cluster-program.ts'
import { openTestPool } from '../../test/cluster-run.ts'
import type { ConfigInput, KubernetesInput } from '../config.ts'
import { on as listen } from '../watch/events.ts'
import { managedSelector, roleLabel } from './names.ts'

let space: TestNamespace
beforeAll(async () => {
  // The strictest level: workers have to satisfy it.
  space = await createTestNamespace('workers', { 'pod-security.kubernetes.io/enforce': 'restricted' })
})
afterAll(() => space[Symbol.asyncDispose]())

const functions = {
  square: 'async (n) => n * n',
  echo: 'async (value) => value',
  worker: 'async () => process.env.HOSTNAME',
  nap: 'async (ms) => new Promise((resolve) => setTimeout(resolve, ms, process.env.HOSTNAME))',
  argv: 'async () => process.argv',
  environment: 'async (names) => names.map((name) => process.env[name])',
  write: "async (path) => (await import('node:fs')).writeFileSync(path, 'x')",
  count: 'async function* (to) { for (let n = 0; n < to; n += 1) yield n }',
  passOn: 'async (stream) => stream',
}

const on = (kubernetes: KubernetesInput = {}, pool: ConfigInput = {}): ConfigInput => ({
  ...pool,
  kubernetes: { namespace: space.name, delivery: 'mount', resources: { cpu: '50m', memory: '192Mi' }, ...kubernetes },
})
const nothingLeft = async () => expect(await listAll(space.client, managedSelector)).toEqual([])
const workerPods = () => space.client.list('Pod', { labelSelector: `${managedSelector},${roleLabel}=worker` })

describe.each(['direct', 'port-forward', 'auto'] as const)('reach: %s', (reach) => {
  test('calls, large values and streams; nothing is left', async () => {
    await using program = createClusterProgram('reached', functions, on({ reach }))
    expect(await Promise.all([1, 2, 3].map(program.lifted('square')))).toEqual([1, 4, 9])
    const large = new Uint8Array(8 * 1024 * 1024).map((_, index) => index % 251)
    const back = await program.lifted('echo')(large)
    expect(back instanceof Uint8Array && Buffer.compare(back, large)).toBe(0)
    const counted: unknown[] = []
    for await (const value of program.streamed('count')(1_000)) counted.push(value)
    expect(counted).toEqual(Array.from({ length: 1_000 }, (_, n) => n))
    const passedOn = await program.lifted('passOn')(new Blob([large]).stream())
    if (!(passedOn instanceof ReadableStream)) throw new Error('No stream came back.')
    expect(Buffer.compare(Buffer.from(await new Response(passedOn).arrayBuffer()), large)).toBe(0)
    await program[Symbol.asyncDispose]()
    await nothingLeft()
  })
})

describe('workers', () => {
  test('have the environment and Secrets that they are given, and can write to /tmp alone', async () => {
    await space.client.create('Secret', { metadata: { name: 'given' }, stringData: { PASSWORD: 'swordfish' } })
    await using program = createClusterProgram('given', functions, on({ env: { COLOUR: 'blue' }, secrets: ['given'] }))
    const names = ['COLOUR', 'PASSWORD', 'NODE_ENV']
    expect(await program.lifted('environment')(names)).toEqual(['blue', 'swordfish', 'production'])
    await expect(program.lifted('write')('/opt/somewhere')).rejects.toMatchObject({ code: 'EROFS' })
    await program.lifted('write')('/tmp/somewhere')
  })

  test.each([
    ['mount', {}],
    ['image', { delivery: 'image', image: { ...imageOptions, builder: 'append' } }],
  ] as const)('have the words of the program as they were given, by %s', async (delivery, options) => {
    const words = ['--', '--dry-run', 'two words', '', '$(HOSTNAME) $$ $HOME', "it's"]
    using _ = withArguments(words)
    await using program = createClusterProgram(`argued-${delivery}`, functions, on(options))
    expect(await program.lifted('argv')()).toEqual([expect.stringMatching(/\/node$/), process.argv[1], ...words])
  })

  test('come as the load asks, up to maxReplicas, and go to zero when idle', async () => {
    await using program = createClusterProgram('scaled', functions, on({}, { maxReplicas: 3, idleTimeoutMs: 500 }))
    const names = await Promise.all(Array.from({ length: 12 }, () => program.lifted('nap')(1_000)))
    expect(new Set(names).size).toBe(3)
    await expect.poll(async () => (await workerPods()).length, { timeout: 60_000 }).toBe(0)
    expect(await program.lifted('square')(7)).toBe(49)
  })

  test('pools have replicas of their own', async () => {
    const pools = { big: { maxReplicas: 2 } }
    await using program = createClusterProgram('pools', functions, on({}, { maxReplicas: 1, pools }))
    const nap = (pool: string) => Array.from({ length: 4 }, () => program.lifted('nap', { pool })(1_500))
    const [first, big] = await Promise.all([Promise.all(nap('default')), Promise.all(nap('big'))])
    expect([new Set(first).size, new Set(big).size]).toEqual([1, 2])
  })

  test('are found by the function that is called there', async () => {
    await using program = createClusterProgram('labelled', functions, on({}, { maxReplicas: 1 }))
    const worker = await program.lifted('worker')()
    const labelSelector = 'turbolift.dev/program=labelled,function.turbolift.dev/worker'
    const pods = await space.client.list('Pod', { labelSelector })
    expect(pods.map(({ metadata }) => metadata?.name)).toEqual([worker])
  })

  test('of another build refuse a program, which says so', async () => {
    await using program = createClusterProgram('skewed', functions, on())
    await using pool = await openTestPool(program.manifest, on())
    pool.deployment.scaleTo(1)
    const worker = await pool.next('worker')
    const signal = AbortSignal.timeout(20_000)
    const stream = await worker.dial({ signal })
    const refused = performHandshake(stream, { token: worker.token, build: 'another', signal, ...worker.route })
    await expect(refused).rejects.toMatchObject({
      status: 409,
      message: expect.stringMatching(/another build of the program/),
    })
  })

  test('are told of when they are on their way, take calls and are gone', async () => {
    const told: string[] = []
    const names = ['worker:started', 'worker:ready', 'worker:gone'] as const
    const stops = names.map((name) => listen(name, ({ workerId }) => told.push(`${name} ${workerId}`)))
    const program = createClusterProgram('told', functions, on({}, { maxReplicas: 1, idleTimeoutMs: 500 }))
    const worker = await program.lifted('worker')()
    await expect.poll(() => told, { timeout: 60_000 }).toEqual(names.map((name) => `${name} ${String(worker)}`))
    await program[Symbol.asyncDispose]()
    for (const stop of stops) stop()
  })

  test('one that is deleted in mid-call: its call is made elsewhere', async () => {
    await using program = createClusterProgram('deleted', functions, on({}, { maxReplicas: 1 }))
    const first = await program.lifted('worker')()
    const call = program.lifted('nap')(3_000)
    await space.client.remove('Pod', String(first), { graceSeconds: 0 })
    expect(await call).not.toBe(first)
  })
})

/** As if this program had been started with these words. */
function withArguments(words: readonly string[]): Disposable {
  const before = process.argv
  process.argv = [...before.slice(0, 2), ...words]
  return { [Symbol.dispose]: () => void (process.argv = before) }
}
