import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createTestNamespace } from '../../../../test/cluster/namespace.ts'
import type { TestNamespace } from '../../../../test/cluster/namespace.ts'
import { listAll } from '../../../../test/cluster/wait.ts'
import { createClusterProgram } from '../../test/cluster-program.ts'
import { openTestPool, toManifest } from '../../test/cluster-run.ts'
import type { ConfigInput, KubernetesInput } from '../config.ts'
import { on as subscribe } from '../watch/events.ts'
import type { WorkerGone } from '../watch/events.ts'
import { managedSelector } from './names.ts'

let space: TestNamespace
beforeAll(async () => {
  space = await createTestNamespace('failures')
})
afterAll(() => space[Symbol.asyncDispose]())

// Waits for ever without listening.
const silent = toManifest('silent', { 'worker.js': 'setInterval(() => {}, 1000)' })
const crashing = toManifest('crashing', { 'worker.js': "console.error('cannot find the answer'); process.exit(3)" })
const hungry = toManifest('hungry', {
  'worker.js': 'const all = []; setInterval(() => all.push(Buffer.alloc(8e6, 1)), 5)',
})

const on = (namespace: string, kubernetes: KubernetesInput = {}, pool: ConfigInput = {}): ConfigInput => ({
  ...pool,
  kubernetes: { namespace, delivery: 'mount', resources: { cpu: '50m', memory: '64Mi' }, ...kubernetes },
})

const roomy: KubernetesInput = { resources: { cpu: '50m', memory: '192Mi' } }
// Programs of the same code share a run: each test has its own.
const toWaiting = (program: string) => ({
  worker: 'async () => process.env.HOSTNAME',
  wait: `async (victim) => {
    if (process.env.HOSTNAME !== victim) return '${program}, elsewhere'
    await new Promise(() => setInterval(() => {}, 1000))
  }`,
})

/** What "kubectl drain" does with each pod of a node. */
async function evict({ client, name: namespace }: TestNamespace, name: string): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`
  const metadata = { name, namespace }
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata, deleteOptions: { gracePeriodSeconds: 1 } }
  await client.request({ method: 'POST', path, body })
}

/** The failure of a pool that was asked for one worker; nothing may be left of it. */
async function failureOf(manifest: typeof silent, options: ConfigInput) {
  const pool = await openTestPool(manifest, options)
  const failed = pool.next('failed')
  pool.deployment.scaleTo(1)
  const error = await failed
  await pool[Symbol.asyncDispose]()
  return error
}

describe('each failure names its reason', () => {
  const cases: readonly [string, typeof silent, () => ConfigInput, string, RegExp][] = [
    ['crash at start', crashing, () => on(space.name), 'WORKER_EXITED', /exit code 3.*cannot find the answer/s],
    ['out of memory', hungry, () => on(space.name), 'OUT_OF_MEMORY', /64Mi/],
    [
      'image that no registry has',
      silent,
      () => on(space.name, { image: { baseImage: '127.0.0.1:9/none:1' } }),
      'IMAGE_PULL_FAILED',
      /127\.0\.0\.1:9\/none:1.*(connection refused|failed to do request)/s,
    ],
    [
      'no node takes it',
      silent,
      () => on(space.name, { nodeSelector: { nowhere: 'yes' } }, { startTimeoutMs: 10_000 }),
      'POD_UNSCHEDULABLE',
      /0\/1 nodes are available.*affinity\/selector/,
    ],
    [
      'more than any node has',
      silent,
      () => on(space.name, { resources: { cpu: '512' } }, { startTimeoutMs: 10_000 }),
      'POD_UNSCHEDULABLE',
      /Insufficient cpu/,
    ],
    [
      'Secret that does not exist',
      silent,
      () => on(space.name, { secrets: ['none'] }),
      'WORKER_NOT_STARTED',
      /secret "none" not found/,
    ],
    [
      'command that does not exist',
      silent,
      () => on(space.name, { patch: { Deployment: { spec: { template: { spec: toContainerPatch(['/nope']) } } } } }),
      'WORKER_NOT_STARTED',
      /\/nope/,
    ],
    [
      'volume that does not exist',
      silent,
      () =>
        on(space.name, {
          patch: {
            Deployment: {
              spec: {
                template: {
                  spec: {
                    volumes: [
                      { name: 'packed', configMap: { name: 'none' } },
                      { name: 'code', emptyDir: {} },
                      { name: 'access', emptyDir: {} },
                      { name: 'tmp', emptyDir: {} },
                    ],
                  },
                },
              },
            },
          },
        }),
      'POD_NOT_SET_UP',
      /configmap "none" not found/,
    ],
    [
      'account that does not exist',
      silent,
      () => on(space.name, { serviceAccount: 'none' }),
      'PODS_REFUSED',
      /serviceaccount "none" not found/,
    ],
    [
      'worker that does not listen',
      silent,
      () => on(space.name, {}, { startTimeoutMs: 20_000 }),
      'READY_TIMEOUT',
      /within 20 s.*does not listen/s,
    ],
  ]
  test.concurrent.each(cases)('%s', async (_, manifest, options, code, message) => {
    const error = await failureOf(manifest, options())
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test.concurrent('eviction: the call is made elsewhere, and the worker is gone for the reason of the cluster', async () => {
    const functions = {
      worker: 'async () => process.env.HOSTNAME',
      fill: `async (victim) => {
        if (process.env.HOSTNAME !== victim) return 'elsewhere'
        ;(await import('node:fs')).writeFileSync('/tmp/full', Buffer.alloc(8e6))
        await new Promise(() => setInterval(() => {}, 1000))
      }`,
    }
    const resources = { cpu: '50m', memory: '192Mi', disk: '1Mi' }
    await using program = createClusterProgram('evicted', functions, on(space.name, { resources }, { maxReplicas: 1 }))
    const victim = await program.lifted('worker')()
    const gone: WorkerGone[] = []
    const unsubscribe = subscribe('worker:gone', (event) => gone.push(event))
    expect(await program.lifted('fill')(victim)).toBe('elsewhere')
    unsubscribe()
    expect(gone.find(({ workerId }) => workerId === victim)?.error).toMatchObject({
      code: 'POD_EVICTED',
      message: expect.stringMatching(/EmptyDir volume "tmp" exceeds the limit "1Mi"/),
    })
  })

  test.concurrent('eviction through the API, as by "kubectl drain": the call is made on the worker that takes the place', async () => {
    await using tight = await createTestNamespace('drained')
    // There is no room for the other before the first is gone.
    await tight.client.create('ResourceQuota', { metadata: { name: 'one' }, spec: { hard: { pods: '1' } } })
    await using program = createClusterProgram(
      'drained',
      toWaiting('drained'),
      on(tight.name, roomy, { maxReplicas: 1 }),
    )
    const victim = await program.lifted('worker')()
    const gone: WorkerGone[] = []
    const unsubscribe = subscribe('worker:gone', (event) => gone.push(event))
    const call = program.lifted('wait')(victim)
    await evict(tight, String(victim))
    expect(await call).toBe('drained, elsewhere')
    unsubscribe()
    expect(gone.find(({ workerId }) => workerId === victim)?.error).toMatchObject({
      code: 'POD_EVICTED',
      message: expect.stringMatching(/Eviction API: evicting/),
    })
  })

  test.concurrent('eviction of the only worker, when no other may be started: the error names both', async () => {
    await using tight = await createTestNamespace('drained')
    await using program = createClusterProgram(
      'stranded',
      toWaiting('stranded'),
      on(tight.name, roomy, { maxReplicas: 1 }),
    )
    const victim = await program.lifted('worker')()
    await tight.client.create('ResourceQuota', { metadata: { name: 'none' }, spec: { hard: { pods: '0' } } })
    const call = program.lifted('wait')(victim)
    await evict(tight, String(victim))
    await expect(call).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
      message: expect.stringMatching(
        /exceeded quota: none.*before: .*has taken the worker tl-stranded-.*Eviction API/s,
      ),
      cause: { code: 'POD_EVICTED' },
    })
  })

  test('quota', async () => {
    await using tight = await createTestNamespace('quota')
    await tight.client.create('ResourceQuota', {
      metadata: { name: 'tight' },
      spec: { hard: { 'requests.cpu': '10m' } },
    })
    expect(await failureOf(silent, on(tight.name))).toMatchObject({
      code: 'QUOTA_EXCEEDED',
      message: expect.stringMatching(/exceeded quota: tight/),
    })
  })

  test('pod security', async () => {
    await using strict = await createTestNamespace('strict', { 'pod-security.kubernetes.io/enforce': 'restricted' })
    const patch = { Deployment: { spec: { template: { spec: { hostNetwork: true } } } } }
    expect(await failureOf(silent, on(strict.name, { patch }))).toMatchObject({
      code: 'POD_SECURITY_REFUSED',
      message: expect.stringMatching(/violates PodSecurity/),
    })
  })

  test('namespace that does not exist', async () => {
    const opened = openTestPool(silent, on('tl-test-none'))
    await expect(opened).rejects.toMatchObject({
      code: 'NAMESPACE_MISSING',
      message: expect.stringMatching(/"tl-test-none" not found/),
    })
  })
})

test('nothing is left of failed runs', async () => {
  expect(await listAll(space.client, managedSelector)).toEqual([])
})

// Merge patches replace lists, so the container is written anew.
function toContainerPatch(command: readonly string[]) {
  const securityContext = { allowPrivilegeEscalation: false }
  const image = `node:${process.versions.node.split('.')[0]}-slim`
  return { containers: [{ name: 'worker', image, command, securityContext }] }
}
