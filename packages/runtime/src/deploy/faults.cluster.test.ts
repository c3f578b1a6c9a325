import { once } from 'node:events'

import { afterAll, describe, expect, test } from 'vitest'

import { startFaultProxy } from '../../../../test/cluster/fault-proxy.ts'
import type { Fault } from '../../../../test/cluster/fault-proxy.ts'
import { createTestNamespace } from '../../../../test/cluster/namespace.ts'
import type { TestNamespace } from '../../../../test/cluster/namespace.ts'
import { startProgram } from '../../../../test/cluster/program.ts'
import { untilGone } from '../../../../test/cluster/wait.ts'
import { managedSelector } from './names.ts'

/** Short, so that a test need not wait long for what a lost program leaves. */
const shortGraceMs = 6_000
/** For runs that are to survive, on machines that are busy as well. */
const longGraceMs = 60_000

/** Requests by which the steps of a run are known. */
const steps = {
  anchor: /^POST .*\/jobs/,
  deliver: /^POST .*\/configmaps/,
  deploy: /^POST .*\/deployments/,
  scale: /^PATCH .*\/scale/,
  calls: /^GET .*\/portforward/,
  dispose: /^DELETE .*\/jobs/,
} as const

const runs: { readonly space: TestNamespace }[] = []
afterAll(async () => {
  for (const { space } of runs) await space[Symbol.asyncDispose]()
})

interface Times {
  readonly forMs: number
  readonly graceMs: number
}

/** Runs a program whose API server fails at a step for a while. Returns what it told, when nothing of it is left. */
async function runWith(fault: Fault, step: keyof typeof steps, { forMs, graceMs }: Times) {
  const space = await createTestNamespace('faults')
  runs.push({ space })
  await using proxy = await startFaultProxy()
  const reached = proxy.seen(steps[step])
  await using program = await startProgram('squares-program.ts', {
    arguments: [space.name, String(graceMs), '6', '500', 'port-forward'],
    env: { KUBECONFIG: proxy.kubeconfig },
  })
  const told = once(program.child, 'message').then(([message]) => message)
  const exited = once(program.child, 'exit')
  await reached
  proxy.inflict(fault)
  const healing = setTimeout(() => proxy.inflict('none'), forMs)
  const outcome = await told
  await exited
  clearTimeout(healing)
  await untilGone(space.client, managedSelector, graceMs + 10_000)
  return outcome
}

const longPartition = { forMs: shortGraceMs * 3, graceMs: shortGraceMs }
const right = { results: [0, 1, 4, 9, 16, 25] }

describe('faults that pass within the grace time end in the right result', () => {
  const faults = ['partition', 'restart', 'storm', 'expire', 'stall'] as const
  const cases = faults.flatMap((fault) =>
    Object.keys(steps)
      .filter(isStep)
      .map((step) => ({ fault, step })),
  )
  test.concurrent.each(cases)('$fault at $step', async ({ fault, step }) => {
    expect(await runWith(fault, step, { forMs: 2_000, graceMs: longGraceMs })).toEqual(right)
  })
})

describe('a partition that is longer than the grace time ends in an error with its reason', () => {
  test.concurrent.each(['deliver', 'deploy', 'scale', 'calls'] as const)('at %s', async (step) => {
    const outcome = await runWith('partition', step, longPartition)
    expect(['RUN_EXPIRED', 'RUN_REMOVED', 'CLUSTER_UNREACHABLE']).toContain(outcome.code)
  })

  test.concurrent('at anchor: nothing is lost yet, so it may also end well', async () => {
    const outcome = await runWith('partition', 'anchor', longPartition)
    if (outcome.code === undefined) expect(outcome).toEqual(right)
    else expect(outcome.code).toBe('CLUSTER_UNREACHABLE')
  })

  test.concurrent('at dispose: the result is right, and the cluster tidies up', async () => {
    expect(await runWith('partition', 'dispose', longPartition)).toEqual(right)
  })
})

describe('with the default grace time', () => {
  const reached = ['deploy', 'calls'] as const
  test.concurrent.each(reached)('a partition of two thirds of it at %s ends in the right result', async (step) => {
    expect(await runWith('partition', step, { forMs: 40_000, graceMs: longGraceMs })).toEqual(right)
  })

  test.concurrent.each(reached)('a longer one at %s ends in an error with its reason', async (step) => {
    const outcome = await runWith('partition', step, { forMs: 80_000, graceMs: longGraceMs })
    expect(['RUN_EXPIRED', 'RUN_REMOVED', 'CLUSTER_UNREACHABLE']).toContain(outcome.code)
  })

  test.concurrent('one at calls that a longer grace time covers ends in the right result', async () => {
    expect(await runWith('partition', 'calls', { forMs: 75_000, graceMs: longGraceMs * 4 })).toEqual(right)
  })

  test.concurrent('the deadline is reached while the run is disposed of: the result is right', async () => {
    expect(await runWith('partition', 'dispose', { forMs: 80_000, graceMs: longGraceMs })).toEqual(right)
  })
})

function isStep(name: string): name is keyof typeof steps {
  return name in steps
}
