import { performance, timeoutSignal } from '@turbolift/worker-base/clock'

import { createRunIdentity } from '../../deploy/names.ts'
import { toAnchor } from '../../deploy/objects.ts'
import { type Check, ok } from './check.ts'

const DEADLINE_SECONDS = 2
const PATIENCE_MS = 30_000

/** What becomes of a run whose program is killed: nobody moves the deadline, and the cluster removes it. */
export const anchorCheck: Check = {
  name: 'clean-up',
  async run({ client, signal }) {
    const run = createRunIdentity('doctor')
    const anchor = toAnchor({ run, deadlineSeconds: DEADLINE_SECONDS, annotations: { 'turbolift.dev/doctor': 'true' } })
    const job = await client.create('Job', anchor, { signal })
    const began = performance.now()
    const timeout = timeoutSignal(PATIENCE_MS)
    try {
      const watching = { fieldSelector: `metadata.name=${run.name}`, signal: AbortSignal.any([signal, timeout]) }
      for await (const event of client.watch('Job', watching)) {
        if (event.type === 'DELETED') break
        if (event.type === 'SYNCED' && (await client.read('Job', run.name, { signal })) === undefined) break
      }
      const seconds = (performance.now() - began) / 1000 - DEADLINE_SECONDS
      return ok(`a run whose program vanished is removed ${Math.max(0, seconds).toFixed(1)} s after its deadline`)
    } catch (error) {
      signal.throwIfAborted()
      if (!timeout.aborted) throw error
      await client.remove('Job', run.name, { uid: job.metadata?.uid })
      const isSuspended = job.spec?.suspend === true
      return {
        state: 'fail',
        text: `a run whose program vanished was still there ${PATIENCE_MS / 1000} s later${isSuspended ? ': Jobs are suspended' : ''}`,
        fix: 'A queueing system for Jobs (Kueue) must leave Jobs labelled app.kubernetes.io/managed-by=turbolift alone; else see whether the controller manager runs.',
      }
    }
  },
}
