import type { V1PolicyRule, V1Role, V1RoleBinding, V1ServiceAccount } from '@kubernetes/client-node'

import type { KubernetesConfig } from '../config.ts'
import { IMAGE_RECORD } from '../deliver/image-record.ts'
import { resolveImageOptions } from '../deliver/options.ts'
import { INSTALLED_REGISTRY } from '../deliver/registry-objects.ts'

/** One thing that a run does in the cluster, as the cluster's authorisation sees it. */
export interface Permission {
  /** API group; empty for the core group. */
  readonly group: string
  /** Resource, or `resource/subresource`. */
  readonly resource: string
  readonly verbs: readonly string[]
  /** The only objects that it is for; all where it names none. */
  readonly names?: readonly string[]
}

type Features = Pick<KubernetesConfig, 'delivery' | 'image' | 'reach' | 'autoscale' | 'ingress' | 'networkPolicy'>

/** Everything that a run with this configuration does, and what `ls`, `logs`, `down` and `doctor` do. */
export function toPermissions(config: Features): readonly Permission[] {
  return mergePermissions([...forEveryRun, ...forDelivery(config), ...forReach(config)])
}

/** What `turbolift registry` and `turbolift prune` do beyond that. */
export const maintenancePermissions: readonly Permission[] = [
  { group: 'apps', resource: 'deployments', verbs: ['create', 'get', 'list', 'watch', 'patch', 'delete'] },
  { group: '', resource: 'services', verbs: ['create', 'get', 'list', 'patch', 'delete'] },
  { group: '', resource: 'persistentvolumeclaims', verbs: ['create', 'get', 'list', 'patch', 'delete'] },
  { group: '', resource: 'configmaps', verbs: ['list', 'delete'] },
  { group: '', resource: 'configmaps', verbs: ['get', 'patch'], names: [IMAGE_RECORD] },
  { group: '', resource: 'secrets', verbs: ['create'] },
  { group: '', resource: 'secrets', verbs: ['get', 'patch', 'delete'], names: [INSTALLED_REGISTRY] },
  { group: '', resource: 'pods', verbs: ['list', 'delete'] },
  { group: 'autoscaling', resource: 'horizontalpodautoscalers', verbs: ['list', 'delete'] },
  { group: 'networking.k8s.io', resource: 'ingresses', verbs: ['list', 'delete'] },
  { group: 'networking.k8s.io', resource: 'networkpolicies', verbs: ['create', 'list', 'patch', 'delete'] },
]

const forEveryRun: readonly Permission[] = [
  { group: 'batch', resource: 'jobs', verbs: ['create', 'get', 'list', 'watch', 'patch', 'delete'] },
  // Some clusters want it of whoever names a Job as an owner that waits for its dependents.
  { group: 'batch', resource: 'jobs/finalizers', verbs: ['update'] },
  { group: 'apps', resource: 'deployments', verbs: ['create', 'get', 'list', 'watch', 'delete'] },
  { group: 'apps', resource: 'deployments/scale', verbs: ['get', 'patch'] },
  { group: '', resource: 'pods', verbs: ['get', 'list', 'watch', 'patch'] },
  { group: '', resource: 'pods/log', verbs: ['get'] },
  // Create, and neither read nor list: a program learns no secret of the namespace but the login of its registry.
  { group: '', resource: 'secrets', verbs: ['create'] },
  { group: '', resource: 'events', verbs: ['list', 'watch'] },
]

// Opening a stream is `get` up to Kubernetes 1.34 and `create` from 1.35 on.
const stream: readonly string[] = ['create', 'get']

function forDelivery({ delivery, image }: Features): readonly Permission[] {
  if (delivery === 'mount') return [{ group: '', resource: 'configmaps', verbs: ['create'] }]
  const { builder, registry } = resolveImageOptions(image)
  const build: readonly Permission[] = [
    { group: '', resource: 'pods', verbs: ['create', 'delete'] },
    { group: '', resource: 'pods/attach', verbs: stream },
  ]
  const builtIn: readonly Permission[] = [
    { group: '', resource: 'services', verbs: ['create', 'get'] },
    { group: '', resource: 'pods/portforward', verbs: stream },
    { group: '', resource: 'secrets', verbs: ['get'], names: [INSTALLED_REGISTRY] },
  ]
  // Which image was built for which content is kept by the namespace, as a registry is not to be believed.
  const record: readonly Permission[] = [
    { group: '', resource: 'configmaps', verbs: ['create'] },
    { group: '', resource: 'configmaps', verbs: ['get', 'patch'], names: [IMAGE_RECORD] },
  ]
  return [...record, ...(builder === 'kaniko' ? build : []), ...(registry === undefined ? builtIn : [])]
}

function forReach({ reach, autoscale, ingress, networkPolicy }: Features): readonly Permission[] {
  const route: readonly Permission[] =
    ingress?.gateway === undefined
      ? [{ group: 'networking.k8s.io', resource: 'ingresses', verbs: ['create'] }]
      : [{ group: 'gateway.networking.k8s.io', resource: 'httproutes', verbs: ['create'] }]
  return [
    ...(reach === 'auto' || reach === 'port-forward'
      ? [{ group: '', resource: 'pods/portforward', verbs: stream }]
      : []),
    ...(ingress === undefined ? [] : [...route, { group: '', resource: 'services', verbs: ['create'] }]),
    ...(networkPolicy ? [{ group: 'networking.k8s.io', resource: 'networkpolicies', verbs: ['create'] }] : []),
    ...(autoscale === 'cpu' ? [{ group: 'autoscaling', resource: 'horizontalpodautoscalers', verbs: ['create'] }] : []),
  ]
}

/** One entry for each resource, or the named objects of it, with the verbs of all. */
export function mergePermissions(permissions: readonly Permission[]): readonly Permission[] {
  const merged = new Map<string, Permission>()
  for (const permission of permissions) {
    const { group, resource, names = [] } = permission
    const key = [group, resource, ...names].join('/')
    const known = merged.get(key)?.verbs ?? []
    merged.set(key, { ...permission, verbs: [...new Set([...known, ...permission.verbs])] })
  }
  return [...merged.values()]
}

export interface RoleRequest {
  readonly name: string
  readonly namespace: string
  readonly permissions: readonly Permission[]
}

export function toRole({ name, namespace, permissions }: RoleRequest): V1Role {
  const rules = permissions.map(({ group, resource, verbs, names }): V1PolicyRule => {
    const only = names === undefined ? {} : { resourceNames: [...names] }
    return { apiGroups: [group], resources: [resource], ...only, verbs: [...verbs] }
  })
  return { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name, namespace }, rules }
}

/** Grants the role to the service account of the same name. */
export function toRoleBinding({ name, namespace }: Omit<RoleRequest, 'permissions'>): V1RoleBinding {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name, namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  }
}

export function toServiceAccount({ name, namespace }: Omit<RoleRequest, 'permissions'>): V1ServiceAccount {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } }
}
