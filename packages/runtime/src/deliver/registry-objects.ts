import { createHash } from 'node:crypto'

import type {
  V1Container,
  V1Deployment,
  V1NetworkPolicy,
  V1NetworkPolicyPeer,
  V1ObjectMeta,
  V1OwnerReference,
  V1PersistentVolumeClaim,
  V1Secret,
  V1Service,
} from '@kubernetes/client-node'

import type { Credentials } from './registry-auth.ts'
import { toLoginSecret, USERS_FILE } from './registry-login.ts'

export const REGISTRY_IMAGE = 'docker.io/library/registry:3'
/** Where images are pushed, and removed. */
export const REGISTRY_PORT = 5000
/** Where nodes pull, and nothing can be written. */
const PULL_PORT = 5002
/** Name of the registry that a command installed to stay. */
export const INSTALLED_REGISTRY = 'turbolift-registry'

const FOLDER = '/var/lib/registry'
const LOGIN_FOLDER = '/var/run/turbolift'

export interface RegistryObjectsRequest {
  readonly name: string
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  /** The run that it goes with; none for one that stays. */
  readonly owner: V1OwnerReference | undefined
  readonly image: string
  /** Size of a volume that outlives the pod, such as `10Gi`; none for a folder that goes with the pod. */
  readonly storage: string | undefined
  /** Without it nobody gets in. */
  readonly login: Credentials
  /** Who gets through to where images are pushed, where the cluster's network enforces it. Port-forwards always do. */
  readonly pushers: readonly V1NetworkPolicyPeer[]
}

export interface RegistryObjects {
  readonly secret: V1Secret
  readonly policy: V1NetworkPolicy
  readonly deployment: V1Deployment
  readonly service: V1Service
  readonly claim: V1PersistentVolumeClaim | undefined
}

/**
 * A registry in the namespace: one that takes images from build pods and port-forwards, and beside it one that only
 * reads, for nodes. These do not resolve the cluster's names, so that they pull from `localhost:<node port>`, which
 * container runtimes take for plain HTTP; and whoever reaches a node reaches that port too.
 */
export async function toRegistryObjects(request: RegistryObjectsRequest): Promise<RegistryObjects> {
  const { name, login, owner } = request
  const metadata = toMetadata(request)
  const selector = { 'turbolift.dev/registry': name }
  return {
    secret: await toLoginSecret(metadata, login, { isKept: owner === undefined }),
    policy: toPolicy(request, metadata, selector),
    deployment: toDeployment(request, metadata, selector),
    service: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      // Nodes learn of the pod while it starts, so that they can pull as soon as it is ready.
      spec: {
        type: 'NodePort',
        publishNotReadyAddresses: true,
        selector,
        ports: [{ name: 'pull', port: PULL_PORT, targetPort: PULL_PORT }],
      },
    },
    claim: toClaim(request, metadata),
  }
}

function toClaim({ storage }: RegistryObjectsRequest, metadata: V1ObjectMeta): V1PersistentVolumeClaim | undefined {
  if (storage === undefined) return undefined
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata,
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
  }
}

function toMark({ password }: Credentials): string {
  return createHash('sha256').update(password).digest('hex').slice(0, 16)
}

/** Nodes pull from addresses that nobody can list without rights over the cluster, so that reading is left open. */
function toPolicy(
  { pushers }: RegistryObjectsRequest,
  metadata: V1ObjectMeta,
  matchLabels: Readonly<Record<string, string>>,
): V1NetworkPolicy {
  // The library's types call `from` `_from`; the API does not.
  const push: { readonly ports: { port: number; protocol: string }[]; readonly from: readonly V1NetworkPolicyPeer[] } =
    {
      ports: [{ port: REGISTRY_PORT, protocol: 'TCP' }],
      from: pushers,
    }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata,
    spec: {
      podSelector: { matchLabels: { ...matchLabels } },
      policyTypes: ['Ingress'],
      ingress: [{ ports: [{ port: PULL_PORT, protocol: 'TCP' }] }, push],
    },
  }
}

function toMetadata({ name, namespace, labels, owner }: RegistryObjectsRequest): V1ObjectMeta {
  const ownLabels = { ...labels, 'turbolift.dev/role': 'registry', 'turbolift.dev/registry': name }
  return { name, namespace, labels: ownLabels, ...(owner === undefined ? {} : { ownerReferences: [owner] }) }
}

function toDeployment(
  request: RegistryObjectsRequest,
  metadata: V1ObjectMeta,
  matchLabels: Readonly<Record<string, string>>,
): V1Deployment {
  const volume =
    request.storage === undefined ? { emptyDir: {} } : { persistentVolumeClaim: { claimName: request.name } }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: {
      replicas: 1,
      // Two pods must never write to one volume.
      strategy: { type: 'Recreate' },
      selector: { matchLabels },
      template: {
        // Another login makes another pod: a mounted Secret would be read anew only after a minute.
        metadata: {
          labels: { ...metadata.labels, ...matchLabels },
          annotations: { 'turbolift.dev/login': toMark(request.login) },
        },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 1,
          securityContext: {
            runAsUser: 65_532,
            runAsGroup: 65_532,
            fsGroup: 65_532,
            runAsNonRoot: true,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [toWriter(request), toReader(request)],
          volumes: [
            { name: 'images', ...volume },
            { name: 'login', secret: { secretName: request.name, items: [{ key: USERS_FILE, path: USERS_FILE }] } },
          ],
        },
      },
    },
  }
}

function toWriter(request: RegistryObjectsRequest): V1Container {
  const writing = [{ name: 'REGISTRY_STORAGE_DELETE_ENABLED', value: 'true' }]
  return toContainer(request, { name: 'registry', port: REGISTRY_PORT, env: writing, readOnly: false })
}

function toReader(request: RegistryObjectsRequest): V1Container {
  const reading = [
    { name: 'REGISTRY_HTTP_ADDR', value: `:${PULL_PORT}` },
    { name: 'REGISTRY_STORAGE_MAINTENANCE_READONLY', value: '{"enabled":true}' },
  ]
  return toContainer(request, { name: 'pull', port: PULL_PORT, env: reading, readOnly: true })
}

interface Side {
  readonly name: string
  readonly port: number
  readonly env: readonly { readonly name: string; readonly value: string }[]
  readonly readOnly: boolean
}

function toContainer({ image }: RegistryObjectsRequest, { name, port, env, readOnly }: Side): V1Container {
  return {
    name,
    image,
    env: [
      ...env,
      { name: 'REGISTRY_AUTH_HTPASSWD_REALM', value: 'turbolift' },
      { name: 'REGISTRY_AUTH_HTPASSWD_PATH', value: `${LOGIN_FOLDER}/${USERS_FILE}` },
      { name: 'OTEL_TRACES_EXPORTER', value: 'none' },
    ],
    ports: [{ name, containerPort: port }],
    // Not by HTTP: without the login it answers 401.
    readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
    resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '512Mi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      { name: 'images', mountPath: FOLDER, readOnly },
      { name: 'login', mountPath: LOGIN_FOLDER, readOnly: true },
    ],
  }
}
