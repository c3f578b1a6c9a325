import { once } from 'node:events'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createTestNamespace } from '../../../../test/cluster/namespace.ts'
import type { TestNamespace } from '../../../../test/cluster/namespace.ts'
import { startProgram } from '../../../../test/cluster/program.ts'
import type { TestProgram } from '../../../../test/cluster/program.ts'
import { untilGone } from '../../../../test/cluster/wait.ts'
import { openAnchor } from './anchor.ts'
import { createRunIdentity, runLabel } from './names.ts'
import { toMetadata } from './objects.ts'

let space: TestNamespace
beforeAll(async () => {
  space = await createTestNamespace('anchor')
})
afterAll(() => space[Symbol.asyncDispose]())

const open = (graceMs: number) => {
  const run = createRunIdentity('anchored')
  const signal = AbortSignal.timeout(60_000)
  return openAnchor({ client: space.client, run, graceMs, annotations: {}, signal }).then((anchor) => ({ run, anchor }))
}

describe('anchor', () => {
  test('disposing resolves when everything that it owns is gone', async () => {
    const { run, anchor } = await open(60_000)
    await space.client.create('ConfigMap', {
      metadata: toMetadata({ run, owner: anchor.owner }, run.name),
      data: { a: 'b' },
    })
    await anchor[Symbol.asyncDispose]()
    await anchor[Symbol.asyncDispose]()
    expect(await space.client.read('ConfigMap', run.name)).toBeUndefined()
    expect(await space.client.read('Job', run.name)).toBeUndefined()
  })

  test('heartbeats keep it alive past its first deadline', async () => {
    const { run, anchor } = await open(4_000)
    const job = () => space.client.read('Job', run.name)
    await expect.poll(async () => (await job())?.spec?.activeDeadlineSeconds, { timeout: 30_000 }).toBeGreaterThan(12)
    expect((await job())?.status?.conditions).toBeUndefined()
    expect(anchor.lost.aborted).toBe(false)
    await anchor[Symbol.asyncDispose]()
  })

  test('somebody removes it: the program is told', async () => {
    const { run, anchor } = await open(4_000)
    await space.client.remove('Job', run.name)
    await aborted(anchor.lost)
    expect(anchor.lost.reason).toMatchObject({ code: 'RUN_REMOVED' })
    await anchor[Symbol.asyncDispose]()
  })

  test('the program is killed: the cluster removes everything', async () => {
    await using program = await startAnchored(4_000)
    program.child.kill('SIGKILL')
    await untilGone(space.client, `${runLabel}=${program.runId}`, 30_000)
  })

  test('the program is stopped for twice the deadline and woken: all is gone, and it says so', async () => {
    await using program = await startAnchored(4_000)
    program.child.kill('SIGSTOP')
    await untilGone(space.client, `${runLabel}=${program.runId}`, 30_000)
    program.child.kill('SIGCONT')
    const [message] = await once(program.child, 'message')
    expect(message).toEqual({ lost: 'RUN_EXPIRED', late: 'removed' })
  })
})

async function startAnchored(graceMs: number): Promise<TestProgram & { readonly runId: string }> {
  const program = await startProgram('anchored-program.ts', { arguments: [space.name, String(graceMs)] })
  const [message] = await once(program.child, 'message')
  return { ...program, runId: message.runId }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}
