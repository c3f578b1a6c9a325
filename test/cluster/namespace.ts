import { randomBytes } from 'node:crypto'

import { openClient } from '../../packages/runtime/src/deploy/client.ts'
import type { KubernetesClient } from '../../packages/runtime/src/deploy/client.ts'

/** A namespace of one test file's own, deleted with everything in it. */
export interface TestNamespace extends AsyncDisposable {
  readonly name: string
  /** Its requests go to the namespace. */
  readonly client: KubernetesClient
}

/** @param labels such as `pod-security.kubernetes.io/enforce: restricted` */
export async function createTestNamespace(
  subject: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<TestNamespace> {
  const name = `tl-test-${subject}-${randomBytes(4).toString('hex')}`
  const client = await openClient({ namespace: name })
  await client.create('Namespace', { metadata: { name, labels: { 'turbolift.dev/test': subject, ...labels } } })
  await untilDefaultAccount(client)
  return {
    name,
    client,
    async [Symbol.asyncDispose]() {
      await client.remove('Namespace', name)
      client[Symbol.dispose]()
    },
  }
}

// Pods are refused until the controller has made the account that they run under.
async function untilDefaultAccount(client: KubernetesClient): Promise<void> {
  const signal = AbortSignal.timeout(30_000)
  for await (const event of client.watch('ServiceAccount', { signal })) {
    if (event.type === 'ADDED' && event.object.metadata?.name === 'default') return
  }
}
