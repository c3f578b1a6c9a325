import type { V1Deployment } from '@kubernetes/client-node'

import type { TestNamespace } from '../../../test/cluster/namespace.ts'
import { openAnchor } from '../src/deploy/anchor.ts'
import { createRunIdentity, type RunIdentity } from '../src/deploy/names.ts'
import { BASE_IMAGE } from './build-site.ts'

/** A run of this very process, with workers that print. */
export interface HeldRun extends AsyncDisposable {
  readonly run: RunIdentity
}

export async function holdRun({ client }: TestNamespace, program: string, replicas: number): Promise<HeldRun> {
  const run = createRunIdentity(program)
  const signal = AbortSignal.timeout(60_000)
  const annotations = { 'turbolift.dev/user': 'ada', 'turbolift.dev/host': 'desk', 'turbolift.dev/pid': '7' }
  const anchor = await openAnchor({ client, run, graceMs: 60_000, annotations, signal })
  await client.create('Deployment', toPrinters(run, replicas, anchor.owner.uid))
  const selector = `turbolift.dev/run=${run.id},turbolift.dev/role=worker`
  const ready = new Set<string>()
  for await (const event of client.watch('Pod', { labelSelector: selector, signal })) {
    const isReady =
      event.type !== 'SYNCED' &&
      event.object.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
    if (event.type !== 'SYNCED' && isReady === true) ready.add(event.object.metadata?.name ?? '')
    if (ready.size === replicas) break
  }
  return { run, [Symbol.asyncDispose]: () => anchor[Symbol.asyncDispose]() }
}

function toPrinters(run: RunIdentity, replicas: number, uid: string): V1Deployment {
  const selector = { 'turbolift.dev/run': run.id, 'turbolift.dev/role': 'worker', 'turbolift.dev/pool': 'default' }
  const labels = { ...run.labels, ...selector }
  const program =
    "console.log('started'); setInterval(() => console.log('still here'), 100); process.on('SIGTERM', () => process.exit())"
  const container = { name: 'worker', image: BASE_IMAGE, command: ['node', '-e', program] }
  const ownerReferences = [{ apiVersion: 'batch/v1', kind: 'Job', name: run.name, uid, blockOwnerDeletion: true }]
  return {
    metadata: { name: `${run.name}-default`, labels, ownerReferences },
    spec: {
      replicas,
      selector: { matchLabels: selector },
      template: { metadata: { labels }, spec: { containers: [container], terminationGracePeriodSeconds: 2 } },
    },
  }
}
