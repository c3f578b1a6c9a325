// Pure functions that return Kubernetes objects; no I/O.
import type {
  V1Job,
  V1NetworkPolicy,
  V1ObjectMeta,
  V1OwnerReference,
  V1PodSecurityContext,
  V1Secret,
  V1SecurityContext,
  V1Service,
  V2HorizontalPodAutoscaler,
} from '@kubernetes/client-node'

import type { DeliveredCode } from '../deliver/delivery.ts'
import { parseLiftId } from '../lift-id.ts'
import { poolLabel, roleLabel, toPoolName } from './names.ts'
import type { RunIdentity } from './names.ts'
import type { ClusterInput } from './options.ts'

/** Port of every worker pod. */
export const workerPort = 8080
/** Name in the workers' certificate. */
export const workerHost = 'worker.turbolift'
/** Nobody in Debian's images; numeric, because Kubernetes cannot tell whether a name is root. */
const workerUser = 65_532
const MOST_FUNCTION_LABELS = 50

/** The run that objects belong to. */
export interface OwnedRun {
  readonly run: RunIdentity
  readonly owner: V1OwnerReference
}

/** One pool of workers, as far as its objects tell. */
export interface PoolObjects extends OwnedRun {
  readonly pool: string
  /** Lift ids of the functions that are called here: `src/main.ts#square`. */
  readonly functions: readonly string[]
  readonly code: DeliveredCode
  readonly build: string
  readonly concurrency: number
  /** Longest run time of calls that come by HTTP; 0: no limit. */
  readonly timeoutMs: number
  /** What user code sees behind the first word of `process.argv`. */
  readonly programArguments: readonly string[]
  readonly options: ClusterInput
  /** Whether workers speak TLS. Behind an ingress they do not: the controller would not trust them. */
  readonly isSecure: boolean
}

export interface AnchorRequest {
  readonly run: RunIdentity
  readonly deadlineSeconds: number
  /** Who runs the program, for people that find the run. */
  readonly annotations: Readonly<Record<string, string>>
}

/**
 * The root of a run: a Job without pods that fails at its deadline, is then deleted by the cluster,
 * and takes everything with it that names it as owner.
 */
export function toAnchor({ run, deadlineSeconds, annotations }: AnchorRequest): V1Job {
  const labels = { ...run.labels, [roleLabel]: 'anchor' }
  return {
    metadata: { name: run.name, labels, annotations: { ...annotations } },
    spec: {
      parallelism: 0,
      completions: 1,
      backoffLimit: 0,
      activeDeadlineSeconds: deadlineSeconds,
      ttlSecondsAfterFinished: 0,
      template: {
        metadata: { labels },
        // It never runs, but a template below the namespace's level would make every patch answer with a warning.
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          securityContext: podSecurity,
          containers: [{ name: 'none', image: 'registry.k8s.io/pause:3.10', securityContext: containerSecurity }],
        },
      },
    },
  }
}

/**
 * An anchor as the owner of the run's objects. They hold up its removal in the foreground: only so is its end the end of
 * everything, which can be seen without the right to list Secrets. Some clusters want `update` on `jobs/finalizers` for it.
 */
export function toOwner({ name = '', uid = '' }: Pick<V1ObjectMeta, 'name' | 'uid'> = {}): V1OwnerReference {
  return { apiVersion: 'batch/v1', kind: 'Job', name, uid, controller: false, blockOwnerDeletion: true }
}

/** The run's token and, where workers speak TLS, their certificate. */
export function toRunSecret(
  { run, owner }: OwnedRun,
  { token, certificate, key }: { readonly token: string; readonly certificate: string; readonly key: string },
): V1Secret {
  return {
    metadata: toMetadata({ run, owner }, toAccessName(run)),
    type: 'Opaque',
    immutable: true,
    stringData: { token, 'tls.crt': certificate, 'tls.key': key },
  }
}

/** Only what comes from these addresses (or from anywhere, behind an ingress) gets through to the workers. */
export function toNetworkPolicy(
  run: OwnedRun,
  { from }: { readonly from: readonly string[] | 'anywhere' },
): V1NetworkPolicy {
  const ports = [{ port: workerPort, protocol: 'TCP' }]
  const peers = from === 'anywhere' ? [] : from.map((cidr) => ({ ipBlock: { cidr } }))
  // A rule without peers would let everybody in; no rule lets in the node alone, which port-forwards come from.
  // The library's types call `from` `_from`; the API does not.
  const ingress: readonly { readonly ports: typeof ports; readonly from?: typeof peers }[] =
    from === 'anywhere' ? [{ ports }] : peers.length === 0 ? [] : [{ from: peers, ports }]
  return {
    metadata: toMetadata(run, `${run.run.name}-workers`),
    spec: {
      podSelector: { matchLabels: { ...toRunSelector(run), [roleLabel]: 'worker' } },
      policyTypes: ['Ingress'],
      ingress: [...ingress],
    },
  }
}

export function toService(pool: PoolObjects): V1Service {
  return {
    metadata: { ...toMetadata(pool, toPoolName(pool.run, pool.pool)), labels: toPoolLabels(pool) },
    spec: { selector: toSelector(pool), ports: [{ name: 'http', port: 80, targetPort: workerPort }] },
  }
}

/** Grows at once when busy, shrinks by half every 30 s when not. */
export function toAutoscaler(
  pool: PoolObjects,
  { minReplicas, maxReplicas }: { readonly minReplicas: number; readonly maxReplicas: number },
): V2HorizontalPodAutoscaler {
  const name = toPoolName(pool.run, pool.pool)
  return {
    metadata: { ...toMetadata(pool, name), labels: toPoolLabels(pool) },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas: Math.max(1, minReplicas),
      maxReplicas,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
      ],
      behavior: {
        scaleUp: {
          stabilizationWindowSeconds: 0,
          selectPolicy: 'Max',
          policies: [
            { type: 'Percent', value: 900, periodSeconds: 15 },
            { type: 'Pods', value: 50, periodSeconds: 15 },
          ],
        },
        scaleDown: { stabilizationWindowSeconds: 60, policies: [{ type: 'Percent', value: 50, periodSeconds: 30 }] },
      },
    },
  }
}

/** Name of the Secret with the run's token and certificate. */
export function toAccessName(run: RunIdentity): string {
  return `${run.name}-access`
}

/** Labels that select a pool's pods. */
export function toSelector({ run, pool }: Pick<PoolObjects, 'run' | 'pool'>): Record<string, string> {
  return { ...toRunSelector({ run }), [poolLabel]: toLabelText(pool) }
}

export function toMetadata({ run, owner }: OwnedRun, name: string): V1ObjectMeta {
  return { name, labels: { ...run.labels }, ownerReferences: [owner] }
}

export function toPoolLabels(pool: PoolObjects): Record<string, string> {
  return { ...pool.run.labels, ...toSelector(pool), [roleLabel]: 'worker' }
}

/**
 * A label for each function, so that people find its pods: `kubectl logs -l function.turbolift.dev/square`. Its value is
 * the module. More of them would only swell each pod.
 */
export function toFunctionLabels({ functions }: Pick<PoolObjects, 'functions'>): Record<string, string> {
  const labels = functions.slice(0, MOST_FUNCTION_LABELS).map((id) => {
    const { module, path } = parseLiftId(id)
    return [`function.turbolift.dev/${toLabelText(path)}`, toLabelText(module)]
  })
  return Object.fromEntries(labels)
}

function toRunSelector({ run }: Pick<OwnedRun, 'run'>): Record<string, string> {
  return { 'turbolift.dev/run': run.id }
}

// Values of labels, and the names of their keys, may have 63 characters and few signs.
function toLabelText(text: string): string {
  return (
    text
      .replaceAll(/[^A-Za-z0-9_.-]/g, '-')
      .slice(0, 63)
      .replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '') || 'x'
  )
}

/** What pod security `restricted` asks of a pod. */
export const podSecurity: V1PodSecurityContext = {
  runAsNonRoot: true,
  runAsUser: workerUser,
  runAsGroup: workerUser,
  fsGroup: workerUser,
  seccompProfile: { type: 'RuntimeDefault' },
}

/** What pod security `restricted` asks of a container, and a file system that cannot be written. */
export const containerSecurity: V1SecurityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
}
