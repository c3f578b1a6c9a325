import { isRefusal, type KubernetesClient } from '../deploy/client.ts'

/** One registry, by the names that each side has for it. */
export interface AnnouncedRegistry {
  /** For this program. */
  readonly host: string
  /** For the nodes. */
  readonly pull: string
  /** For the pods of the cluster, where they reach it at all. */
  readonly push: string | undefined
}

/**
 * The registry that the cluster's own tool announces: kind, k3d, Tilt and others write down there how each side
 * reaches it.
 * @see https://github.com/kubernetes/enhancements/tree/master/keps/sig-cluster-lifecycle/generic/1755-communicating-a-local-registry
 */
export async function findAnnouncedRegistry(
  client: KubernetesClient,
  options: { readonly signal: AbortSignal },
): Promise<AnnouncedRegistry | undefined> {
  try {
    const map = await client.read('ConfigMap', 'local-registry-hosting', { namespace: 'kube-public', ...options })
    return parseHosting(map?.data?.['localRegistryHosting.v1'])
  } catch (error) {
    // Few Roles allow reading it; without the announcement there are other ways.
    if (isRefusal(error, 'Forbidden')) return undefined
    throw error
  }
}

/** `host` is how this machine reaches the registry; the others are there when pods or nodes need another name. */
export function parseHosting(text: string | undefined): AnnouncedRegistry | undefined {
  const host = readField(text, 'host')
  if (host === undefined) return undefined
  const pull = readField(text, 'hostFromContainerRuntime') ?? host
  return { host, pull, push: readField(text, 'hostFromClusterNetwork') }
}

/** The document is specified as a flat map of texts, so that a YAML parser would be more than it needs. */
function readField(text: string | undefined, name: string): string | undefined {
  return new RegExp(`^\\s*["']?${name}["']?\\s*:\\s*["']?([^"'\\s#,]+)`, 'm').exec(text ?? '')?.[1]
}
