import type {
  CoreV1Event,
  KubernetesObject,
  V1APIService,
  V1ConfigMap,
  V1Deployment,
  V1Ingress,
  V1IngressClass,
  V1Job,
  V1Namespace,
  V1NetworkPolicy,
  V1Node,
  V1PersistentVolumeClaim,
  V1Pod,
  V1ReplicaSet,
  V1ResourceQuota,
  V1Role,
  V1RoleBinding,
  V1Secret,
  V1SelfSubjectAccessReview,
  V1Service,
  V1ServiceAccount,
  V2HorizontalPodAutoscaler,
} from '@kubernetes/client-node'

/** Every kind of object that turbolift reads or writes. Times are text in them, as in the JSON they come from. */
export interface Kinds {
  APIService: V1APIService
  ConfigMap: V1ConfigMap
  Deployment: V1Deployment
  Event: CoreV1Event
  HTTPRoute: KubernetesObject
  HorizontalPodAutoscaler: V2HorizontalPodAutoscaler
  Ingress: V1Ingress
  IngressClass: V1IngressClass
  Job: V1Job
  Namespace: V1Namespace
  NetworkPolicy: V1NetworkPolicy
  Node: V1Node
  PersistentVolumeClaim: V1PersistentVolumeClaim
  Pod: V1Pod
  ReplicaSet: V1ReplicaSet
  ResourceQuota: V1ResourceQuota
  Role: V1Role
  RoleBinding: V1RoleBinding
  Secret: V1Secret
  SelfSubjectAccessReview: V1SelfSubjectAccessReview
  Service: V1Service
  ServiceAccount: V1ServiceAccount
}

export type Kind = keyof Kinds

/** Where the API server keeps the objects of one kind. */
export interface KindPlace {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly isNamespaced: boolean
}

export const kindPlaces: Readonly<Record<Kind, KindPlace>> = {
  APIService: clusterWide('apiregistration.k8s.io', 'v1', 'apiservices'),
  ConfigMap: namespaced('', 'v1', 'configmaps'),
  Deployment: namespaced('apps', 'v1', 'deployments'),
  Event: namespaced('', 'v1', 'events'),
  HTTPRoute: namespaced('gateway.networking.k8s.io', 'v1', 'httproutes'),
  HorizontalPodAutoscaler: namespaced('autoscaling', 'v2', 'horizontalpodautoscalers'),
  Ingress: namespaced('networking.k8s.io', 'v1', 'ingresses'),
  IngressClass: clusterWide('networking.k8s.io', 'v1', 'ingressclasses'),
  Job: namespaced('batch', 'v1', 'jobs'),
  Namespace: clusterWide('', 'v1', 'namespaces'),
  NetworkPolicy: namespaced('networking.k8s.io', 'v1', 'networkpolicies'),
  Node: clusterWide('', 'v1', 'nodes'),
  PersistentVolumeClaim: namespaced('', 'v1', 'persistentvolumeclaims'),
  Pod: namespaced('', 'v1', 'pods'),
  ReplicaSet: namespaced('apps', 'v1', 'replicasets'),
  ResourceQuota: namespaced('', 'v1', 'resourcequotas'),
  Role: namespaced('rbac.authorization.k8s.io', 'v1', 'roles'),
  RoleBinding: namespaced('rbac.authorization.k8s.io', 'v1', 'rolebindings'),
  Secret: namespaced('', 'v1', 'secrets'),
  SelfSubjectAccessReview: clusterWide('authorization.k8s.io', 'v1', 'selfsubjectaccessreviews'),
  Service: namespaced('', 'v1', 'services'),
  ServiceAccount: namespaced('', 'v1', 'serviceaccounts'),
}

/** `apps/v1`, or `v1` for the core group. */
export function toApiVersion({ group, version }: KindPlace): string {
  return group === '' ? version : `${group}/${version}`
}

/** Path of a kind's collection, or of one object of it. */
export function toPath(kind: Kind, namespace: string, name?: string): string {
  const place = kindPlaces[kind]
  const root = place.group === '' ? `/api/${place.version}` : `/apis/${place.group}/${place.version}`
  const scope = place.isNamespaced ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${root}${scope}/${place.plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`
}

/** What the API server sent as an object of this kind, taken at its word. */
export function parseKind<K extends Kind>(_kind: K, object: object): Kinds[K] {
  return object as Kinds[K]
}

/** The object with `apiVersion` and `kind`, as requests need it. */
export function withKind<K extends Kind>(kind: K, object: Kinds[K]): object {
  return { ...object, apiVersion: toApiVersion(kindPlaces[kind]), kind }
}

function namespaced(group: string, version: string, plural: string): KindPlace {
  return { group, version, plural, isNamespaced: true }
}

function clusterWide(group: string, version: string, plural: string): KindPlace {
  return { group, version, plural, isNamespaced: false }
}
