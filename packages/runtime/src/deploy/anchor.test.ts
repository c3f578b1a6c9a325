import { once } from 'node:events'

import { expect, test } from 'vitest'

import { createRecorder } from '../cli/recorder.ts'
import { openAnchor } from './anchor.ts'
import type { Anchor } from './anchor.ts'
import { ClusterRequestError } from './client.ts'
import { parseKind } from './client/kinds.ts'
import { createRunIdentity } from './names.ts'

const words = 'ValidatingAdmissionPolicy "freeze" denied request: no patches of Jobs'
const graceMs = 400

interface Cluster {
  /** Whether the Job is there. */
  isThere: boolean
  /** Whether a policy refuses signs of life. */
  isRefusing: boolean
  patches: number
}

/** An anchor in a cluster of which that much is known. */
async function open(cluster: Cluster): Promise<Anchor> {
  const run = createRunIdentity('anchored')
  const { client } = createRecorder('space')
  const anchor: Anchor = await openAnchor({
    run,
    graceMs,
    annotations: {},
    signal: AbortSignal.timeout(10_000),
    client: {
      ...client,
      read: async (kind) =>
        cluster.isThere ? parseKind(kind, { metadata: { name: run.name, uid: anchor.owner.uid } }) : undefined,
      async patch() {
        cluster.patches += 1
        if (!cluster.isRefusing) return
        const status = { code: 422, reason: 'Invalid', message: words, causes: [], retryAfterSeconds: undefined }
        const refused = { request: 'PATCH /jobs', status, attempts: 1 }
        throw new ClusterRequestError('CLUSTER_REQUEST_FAILED', refused, { what: 'Refused.', why: words, fix: 'Ask.' })
      },
    },
  })
  return anchor
}

test('a policy that refuses signs of life ends the run after its grace time, with its words', async () => {
  const began = performance.now()
  const anchor = await open({ isThere: true, isRefusing: true, patches: 0 })
  await once(anchor.lost, 'abort')
  expect(performance.now() - began).toBeGreaterThanOrEqual(graceMs)
  expect(anchor.lost.reason).toMatchObject({ code: 'RUN_EXPIRED' })
  expect(anchor.lost.reason.message).toContain(words)
})

test('one that refuses for a while does not', async () => {
  const cluster = { isThere: true, isRefusing: true, patches: 0 }
  const anchor = await open(cluster)
  await expect.poll(() => cluster.patches).toBe(1)
  cluster.isRefusing = false
  await expect.poll(() => cluster.patches, { timeout: 10_000 }).toBe(8)
  expect(anchor.lost.aborted).toBe(false)
  cluster.isThere = false
  await anchor[Symbol.asyncDispose]()
})

test('a run that somebody deleted is told as that, at its next sign of life', async () => {
  const anchor = await open({ isThere: false, isRefusing: true, patches: 0 })
  await once(anchor.lost, 'abort')
  expect(anchor.lost.reason).toMatchObject({ code: 'RUN_REMOVED' })
})
