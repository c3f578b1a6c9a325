import { findInstalledRegistry } from '../deliver/builtin-registry.ts'
import { findAnnouncedRegistry } from '../deliver/registry-discovery.ts'
import { type RegistryPlace, toAnnouncedPlace, toRegistryPlace } from '../deliver/registry-place.ts'
import type { ResolvedConfig } from '../config.ts'
import type { KubernetesClient } from '../deploy/client.ts'

export interface RegistrySearch {
  readonly config: ResolvedConfig
  readonly client: KubernetesClient
  readonly signal: AbortSignal
}

/** The registry that outlives runs: the configured, the announced or the installed one. */
export async function findLastingRegistry({
  config,
  client,
  signal,
}: RegistrySearch): Promise<RegistryPlace | undefined> {
  const named = config.kubernetes.image?.registry
  if (named !== undefined) return toRegistryPlace(named)
  const announced = await findAnnouncedRegistry(client, { signal })
  if (announced !== undefined) return toAnnouncedPlace(announced)
  return findInstalledRegistry({ client, namespace: client.namespace, signal })
}
