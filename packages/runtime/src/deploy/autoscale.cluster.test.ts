import { afterAll, beforeAll, expect, test } from 'vitest'

import { createTestNamespace } from '../../../../test/cluster/namespace.ts'
import type { TestNamespace } from '../../../../test/cluster/namespace.ts'
import { createClusterProgram } from '../../test/cluster-program.ts'

let space: TestNamespace
beforeAll(async () => {
  space = await createTestNamespace('autoscale')
})
afterAll(() => space[Symbol.asyncDispose]())

const functions = {
  burn: 'async (ms) => { const until = Date.now() + ms; while (Date.now() < until) Math.sqrt(until); return process.env.HOSTNAME }',
}

const idle = { worker: 'async () => process.env.HOSTNAME' }

test(
  'an HPA at 80 % CPU takes a busy pool from one replica to maxReplicas and back',
  { timeout: 420_000 },
  async () => {
    // Little is set aside, so that one busy loop is many times that.
    const resources = { cpu: '50m', cpuLimit: '300m', memory: '192Mi' }
    // The cluster's own pace is one step a minute; a test does not need that much calm.
    const scaleDown = { stabilizationWindowSeconds: 5, policies: [{ type: 'Percent', value: 100, periodSeconds: 5 }] }
    const patch = { HorizontalPodAutoscaler: { spec: { behavior: { scaleDown } } } }
    await using program = createClusterProgram('autoscaled', functions, {
      // Without one to keep, the program would end a pool that is idle before the HPA has seen that it is.
      minReplicas: 1,
      maxReplicas: 3,
      kubernetes: { namespace: space.name, delivery: 'mount', autoscale: 'cpu', resources, patch },
    })
    const burn = program.lifted('burn')
    await burn(1)
    expect(await replicas('autoscaled')).toBe(1)
    const calm = new AbortController()
    const load = Promise.all(
      Array.from({ length: 6 }, async () => {
        while (!calm.signal.aborted) await burn(500)
      }),
    )
    await expect.poll(() => replicas('autoscaled'), { timeout: 180_000, interval: 1_000 }).toBe(3)
    calm.abort()
    await load
    await expect.poll(() => replicas('autoscaled'), { timeout: 180_000, interval: 1_000 }).toBe(1)
    expect(await burn(1)).toMatch(/^tl-autoscaled-/)
  },
)

test('an idle pool under an HPA goes to no workers at all, and the next call brings one back', async () => {
  await using program = createClusterProgram('to-zero', idle, {
    minReplicas: 0,
    idleTimeoutMs: 2_000,
    kubernetes: {
      namespace: space.name,
      delivery: 'mount',
      autoscale: 'cpu',
      resources: { cpu: '50m', memory: '192Mi' },
    },
  })
  const worker = program.lifted('worker')
  const first = await worker()
  expect(await replicas('to-zero')).toBe(1)
  const pods = () => space.client.list('Pod', { labelSelector: 'turbolift.dev/program=to-zero' })
  await expect.poll(() => replicas('to-zero'), { timeout: 30_000 }).toBe(0)
  await expect.poll(pods, { timeout: 30_000 }).toEqual([])
  // An HPA leaves a Deployment that the program has set to none alone.
  await expect.poll(isAutoscalerAtRest, { timeout: 60_000, interval: 500 }).toBe(true)
  expect(await replicas('to-zero')).toBe(0)
  const second = await worker()
  expect(second).toMatch(/^tl-to-zero-/)
  expect(second).not.toBe(first)
})

async function replicas(program: string): Promise<number | undefined> {
  const [deployment] = await space.client.list('Deployment', { labelSelector: `turbolift.dev/program=${program}` })
  return deployment?.spec?.replicas
}

async function isAutoscalerAtRest(): Promise<boolean> {
  const labelSelector = 'turbolift.dev/program=to-zero'
  const [autoscaler] = await space.client.list('HorizontalPodAutoscaler', { labelSelector })
  return autoscaler?.status?.conditions?.some(({ reason }) => reason === 'ScalingDisabled') ?? false
}
