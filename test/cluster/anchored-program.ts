// A program that opens an anchor and does nothing more, for tests that kill and stop it.
// Arguments: namespace, grace time in milliseconds.
import { once } from 'node:events'

import { openAnchor } from '../../packages/runtime/src/deploy/anchor.ts'
import { openClient } from '../../packages/runtime/src/deploy/client.ts'
import { createRunIdentity } from '../../packages/runtime/src/deploy/names.ts'
import { toMetadata } from '../../packages/runtime/src/deploy/objects.ts'

const [namespace, graceMs] = process.argv.slice(2)
const client = await openClient({ namespace })
const run = createRunIdentity('anchored')
const signal = AbortSignal.timeout(60_000)
const anchor = await openAnchor({ client, run, graceMs: Number(graceMs), annotations: {}, signal })
const owned = { run, owner: anchor.owner }
await client.create('ConfigMap', { metadata: toMetadata(owned, run.name), data: { some: 'data' } })
process.send?.({ runId: run.id })
// Keeps the process alive until it has told what it saw.
process.once('message', () => process.exit())
await once(anchor.lost, 'abort')
// What a program creates that was asleep while its run ended: the cluster removes it, its owner being absent.
await client.create('ConfigMap', { metadata: toMetadata(owned, `${run.name}-late`), data: { some: 'data' } })
process.send?.({ lost: anchor.lost.reason.code, late: await untilRemoved(`${run.name}-late`) })

async function untilRemoved(name: string): Promise<string> {
  const patience = AbortSignal.timeout(20_000)
  for await (const event of client.watch('ConfigMap', { fieldSelector: `metadata.name=${name}`, signal: patience })) {
    if (event.type === 'DELETED') return 'removed'
    if (event.type === 'SYNCED' && (await client.read('ConfigMap', name)) === undefined) return 'removed'
  }
  return 'still there'
}
