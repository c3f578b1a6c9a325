import { once } from 'node:events'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createTestNamespace } from '../../../../test/cluster/namespace.ts'
import type { TestNamespace } from '../../../../test/cluster/namespace.ts'
import { startProgram } from '../../../../test/cluster/program.ts'
import { createRandom } from '../../../../test/cluster/random.ts'
import { untilGone } from '../../../../test/cluster/wait.ts'
import { BASE_IMAGE, KANIKO, REGISTRY } from '../../test/build-site.ts'
import { createClusterProgram } from '../../test/cluster-program.ts'
import { managedSelector, roleLabel } from './names.ts'

const graceMs = 6_000
const image = {
  TURBOLIFT_DELIVERY: 'image',
  TURBOLIFT_BASE_IMAGE: BASE_IMAGE,
  TURBOLIFT_KANIKO_IMAGE: KANIKO,
  TURBOLIFT_INSECURE_REGISTRIES: REGISTRY,
  TURBOLIFT_REGISTRY: JSON.stringify({ push: REGISTRY, insecure: true }),
}

let space: TestNamespace
beforeAll(async () => {
  space = await createTestNamespace('kills')
})
afterAll(() => space[Symbol.asyncDispose]())

describe('a program that is killed', () => {
  const random = createRandom(20)
  const kills = Array.from({ length: 20 }, (_, index) => ({
    afterMs: Math.round(random() * 7_000),
    delivery: index % 2 === 0 ? 'mount' : 'image',
  }))
  test.concurrent.each(kills)('after $afterMs ms, with $delivery, leaves nothing', async ({ afterMs, delivery }) => {
    await using program = await startProgram('squares-program.ts', {
      // Another content each time, so that each image is built.
      arguments: [space.name, String(graceMs), '400', '50', 'port-forward', String(afterMs)],
      env: delivery === 'image' ? image : {},
    })
    const exited = once(program.child, 'exit')
    const killing = setTimeout(() => program.child.kill('SIGKILL'), afterMs)
    const [code] = await exited
    clearTimeout(killing)
    // Killed, or at its end before that: one that cannot even start would leave nothing either.
    expect(code ?? 0).toBe(0)
  })

  test('nothing is left when the grace time is over', async () => {
    await untilGone(space.client, managedSelector, graceMs + 15_000)
  })

  test('one that is stopped for twice the grace time and woken says so, and leaves nothing', async () => {
    await using program = await startProgram('squares-program.ts', {
      arguments: [space.name, String(graceMs), '2000', '50', 'port-forward'],
    })
    await untilWorkers()
    const told = once(program.child, 'message')
    program.child.kill('SIGSTOP')
    await untilGone(space.client, managedSelector, graceMs + 15_000)
    program.child.kill('SIGCONT')
    const [{ code }] = await told
    expect(['RUN_EXPIRED', 'WORKER_LOST', 'WORKER_UNREACHABLE']).toContain(code)
    await untilGone(space.client, managedSelector, graceMs + 15_000)
  })
})

describe('workers that are killed at random', () => {
  test('10,000 calls all give their results', async () => {
    const functions = { square: 'async (n) => { await new Promise((r) => setTimeout(r, 5)); return n * n }' }
    const resources = { cpu: '50m', memory: '192Mi' }
    await using program = createClusterProgram('battered', functions, {
      maxReplicas: 3,
      concurrency: 2,
      timeoutMs: 0,
      kubernetes: { namespace: space.name, delivery: 'mount', resources },
    })
    const square = program.lifted('square')
    const random = createRandom(7)
    const done = new AbortController()
    const kills = { count: 0 }
    const killing = killWorkers(random, kills, done.signal)
    const inputs = Array.from({ length: 10_000 }, (_, index) => index)
    // However fast the machine is, three workers are killed meanwhile.
    try {
      for (let round = 0; round === 0 || kills.count < 3; round += 1) {
        const results = await Promise.all(inputs.map((n) => square(n)))
        expect(results).toEqual(inputs.map((n) => n * n))
      }
      expect(kills.count).toBeGreaterThan(2)
    } finally {
      done.abort()
      await killing
    }
  })
})

const selector = { labelSelector: `${managedSelector},${roleLabel}=worker` }

/** Kills a worker from time to time, and counts them. */
async function killWorkers(random: () => number, kills: { count: number }, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, 2_000 + random() * 4_000))
    const pods = await space.client.list('Pod', selector)
    const ready = pods.filter(({ status }) => status?.phase === 'Running')
    const victim = ready[Math.floor(random() * ready.length)]
    if (victim === undefined || signal.aborted) continue
    await space.client.remove('Pod', victim.metadata?.name ?? '', { graceSeconds: 0 })
    kills.count += 1
  }
}

async function untilWorkers(): Promise<void> {
  for await (const event of space.client.watch('Pod', { ...selector, signal: AbortSignal.timeout(60_000) })) {
    if (event.type !== 'SYNCED' && event.object.status?.phase === 'Running') return
  }
}
