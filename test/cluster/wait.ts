import type { Kind, KubernetesClient } from '../../packages/runtime/src/deploy/client.ts'

/** Every kind that a run may create. */
export const runKinds: readonly Kind[] = [
  'Job',
  'Pod',
  'Deployment',
  'ReplicaSet',
  'Service',
  'Secret',
  'ConfigMap',
  'NetworkPolicy',
  'HorizontalPodAutoscaler',
  'Ingress',
  'PersistentVolumeClaim',
]

/** Names of what exists with these labels. */
export async function listAll(client: KubernetesClient, labelSelector: string): Promise<readonly string[]> {
  const lists = await Promise.all(
    runKinds.map(async (kind) =>
      (await client.list(kind, { labelSelector })).map(({ metadata }) => `${kind}/${metadata?.name}`),
    ),
  )
  return lists.flat()
}

/** Resolves when nothing with these labels exists; rejects with what is left. */
export async function untilGone(client: KubernetesClient, labelSelector: string, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const left = await listAll(client, labelSelector)
    if (left.length === 0) return
    if (performance.now() > deadline) throw new Error(`Still there after ${timeoutMs} ms: ${left.join(', ')}`)
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}
