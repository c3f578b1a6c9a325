import type {
  V1Deployment,
  V1ObjectMeta,
  V1OwnerReference,
  V1PersistentVolumeClaim,
  V1Service,
} from '@kubernetes/client-node'

export const REGISTRY_IMAGE = 'docker.io/library/registry:3'
export const REGISTRY_PORT = 5000
/** Name of the registry that a command installed to stay. */
export const INSTALLED_REGISTRY = 'turbolift-registry'

const FOLDER = '/var/lib/registry'

export interface RegistryObjectsRequest {
  readonly name: string
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  /** The run that it goes with; none for one that stays. */
  readonly owner: V1OwnerReference | undefined
  readonly image: string
  /** Size of a volume that outlives the pod, such as `10Gi`; none for a folder that goes with the pod. */
  readonly storage: string | undefined
}

export interface RegistryObjects {
  readonly deployment: V1Deployment
  readonly service: V1Service
  readonly claim: V1PersistentVolumeClaim | undefined
}

/**
 * A registry in the namespace. The Service has a node port since nodes cannot resolve the cluster's names: they
 * pull from `localhost:<node port>`, which container runtimes take for plain HTTP.
 */
export function toRegistryObjects(request: RegistryObjectsRequest): RegistryObjects {
  const { name, storage } = request
  const metadata = toMetadata(request)
  const selector = { 'turbolift.dev/registry': name }
  return {
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
        ports: [{ name: 'http', port: REGISTRY_PORT, targetPort: REGISTRY_PORT }],
      },
    },
    claim:
      storage === undefined
        ? undefined
        : {
            apiVersion: 'v1',
            kind: 'PersistentVolumeClaim',
            metadata,
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
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
        metadata: { labels: { ...metadata.labels, ...matchLabels } },
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
          containers: [
            {
              name: 'registry',
              image: request.image,
              env: [
                { name: 'REGISTRY_STORAGE_DELETE_ENABLED', value: 'true' },
                { name: 'OTEL_TRACES_EXPORTER', value: 'none' },
              ],
              ports: [{ name: 'http', containerPort: REGISTRY_PORT }],
              readinessProbe: { httpGet: { path: '/v2/', port: REGISTRY_PORT }, periodSeconds: 1 },
              resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '512Mi' } },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
              volumeMounts: [{ name: 'images', mountPath: FOLDER }],
            },
          ],
          volumes: [{ name: 'images', ...volume }],
        },
      },
    },
  }
}
