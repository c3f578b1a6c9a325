import { timeoutSignal } from '@turbolift/worker-base/clock'
import type { V1Deployment, V1Pod } from '@kubernetes/client-node'

import type { KubernetesClient } from '../deploy/client.ts'
import { BuildError } from '../errors.ts'
import type { DeliveryScope } from './delivery.ts'
import { toOwnAddresses } from './own-addresses.ts'
import type { Credentials } from './registry-auth.ts'
import { createLogin, readLogin } from './registry-login.ts'
import { INSTALLED_REGISTRY, REGISTRY_PORT, toRegistryObjects } from './registry-objects.ts'
import type { RegistryObjects, RegistryObjectsRequest } from './registry-objects.ts'
import type { RegistryPlace } from './registry-place.ts'

export interface RegistryWhere {
  readonly client: KubernetesClient
  readonly namespace: string
  readonly name: string
  readonly signal: AbortSignal
}

const START_TIMEOUT_MS = 120_000

/**
 * The registry that `turbolift registry install` put into the namespace, or `undefined`.
 * @throws BuildError `REGISTRY_LOGIN_MISSING`
 */
export async function findInstalledRegistry(where: Omit<RegistryWhere, 'name'>): Promise<RegistryPlace | undefined> {
  const { client, namespace, signal } = where
  const name = INSTALLED_REGISTRY
  const service = await client.read('Service', name, { namespace, signal })
  if (service === undefined) return undefined
  const login = readLogin(await client.read('Secret', name, { namespace, signal }))
  if (login === undefined) throw registryLoginMissing(name)
  return { ...(await openRegistry({ ...where, name }, login)), isLasting: true }
}

/**
 * Starts a registry that goes with the run.
 * @throws BuildError `REGISTRY_NOT_STARTED` with the reason
 */
export async function startRegistry(
  scope: DeliveryScope,
  options: { readonly image: string; readonly signal: AbortSignal },
): Promise<RegistryPlace> {
  const { client, namespace } = scope
  const { signal } = options
  const name = toRegistryName(scope)
  const login = createLogin()
  const objects = await toRunRegistry(scope, { image: options.image, login })
  await Promise.all([
    client.create('Secret', objects.secret, { signal }),
    client.create('Deployment', objects.deployment, { signal }),
    client.create('Service', objects.service, { signal }),
    ...(scope.isGuarded ? [client.create('NetworkPolicy', objects.policy, { signal })] : []),
  ])
  return openRegistry({ client, namespace, name, signal }, login)
}

/** The objects of a registry that goes with the run; its build pods push there, and a build that this machine does. */
export function toRunRegistry(
  scope: DeliveryScope,
  { image, login }: Pick<RegistryObjectsRequest, 'image' | 'login'>,
): Promise<RegistryObjects> {
  const { namespace, labels, owner } = scope
  const builds = { podSelector: { matchLabels: { ...labels, 'turbolift.dev/role': 'build' } } }
  const own = toOwnAddresses().map((cidr) => ({ ipBlock: { cidr } }))
  const pushers = [builds, ...own]
  return toRegistryObjects({
    name: toRegistryName(scope),
    namespace,
    labels,
    owner,
    image,
    storage: undefined,
    login,
    pushers,
  })
}

function toRegistryName({ namePrefix }: DeliveryScope): string {
  return `${namePrefix}-registry`
}

/** Waits until the registry answers, and says how each side reaches it. */
async function openRegistry(where: RegistryWhere, credentials: Credentials): Promise<RegistryPlace> {
  const { client, namespace, name, signal } = where
  const pod = await waitForRegistry(where)
  const service = await client.read('Service', name, { namespace, signal })
  const nodePort = service?.spec?.ports?.[0]?.nodePort
  if (nodePort === undefined) throw registryNotStarted(name, 'its Service has no node port', undefined)
  // The pod's own address: the Service is for the nodes, which only read.
  const push = `${pod.address.includes(':') ? `[${pod.address}]` : pod.address}:${REGISTRY_PORT}`
  return {
    push,
    isForProgramOnly: false,
    isLasting: false,
    pull: `localhost:${nodePort}`,
    host: push,
    isInsecure: true,
    ca: undefined,
    credentials,
    // Build pods and nodes get the login in Secrets of the run.
    sharesCredentials: true,
    pushSecret: undefined,
    pullSecret: undefined,
    dial: (options) => client.forwardPort(pod.name, REGISTRY_PORT, { namespace, ...options }),
  }
}

export interface RegistryPod {
  readonly name: string
  readonly address: string
}

/** @returns a pod that is ready */
export async function waitForRegistry({ client, namespace, name, signal }: RegistryWhere): Promise<RegistryPod> {
  const stop = new AbortController()
  const timeout = timeoutSignal(START_TIMEOUT_MS)
  const inner = AbortSignal.any([signal, timeout, stop.signal])
  const options = { namespace, signal: inner }
  let last = 'no pod was created'
  const pods = async (): Promise<RegistryPod> => {
    for await (const event of client.watch('Pod', { ...options, labelSelector: `turbolift.dev/registry=${name}` })) {
      if (event.type === 'SYNCED' || event.type === 'DELETED') continue
      if (isReady(event.object))
        return { name: event.object.metadata?.name ?? '', address: event.object.status?.podIP ?? '' }
      last = describe(event.object) ?? last
      if (/not found|InvalidImageName|ErrImageNeverPull/.test(last)) throw registryNotStarted(name, last, undefined)
    }
    throw registryNotStarted(name, last, undefined)
  }
  const deployment = async (): Promise<never> => {
    for await (const event of client.watch('Deployment', { ...options, fieldSelector: `metadata.name=${name}` })) {
      const refused = event.type === 'SYNCED' ? undefined : findRefusal(event.object)
      if (refused !== undefined) throw registryNotStarted(name, refused, undefined)
    }
    throw registryNotStarted(name, last, undefined)
  }
  const watching = deployment()
  // Reported by the race; without a handler of its own a late end would be one that nobody handled.
  const settled = Promise.allSettled([watching])
  try {
    return await Promise.race([pods(), watching])
  } catch (error) {
    signal.throwIfAborted()
    throw timeout.aborted ? registryNotStarted(name, last, error) : error
  } finally {
    stop.abort()
    await settled
  }
}

function isReady(pod: V1Pod): boolean {
  if (pod.metadata?.deletionTimestamp !== undefined) return false
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
}

function describe(pod: V1Pod): string | undefined {
  const scheduled = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False')
  const state = pod.status?.containerStatuses?.[0]?.state
  const waiting = state?.waiting ?? state?.terminated
  return scheduled?.message ?? (waiting === undefined ? undefined : `${waiting.reason}: ${waiting.message ?? ''}`)
}

/** Quota and pod security refuse the pods of a Deployment, not the Deployment. */
function findRefusal(deployment: V1Deployment): string | undefined {
  return deployment.status?.conditions?.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True')
    ?.message
}

function registryNotStarted(name: string, reason: string, cause: unknown): BuildError {
  return new BuildError(
    'REGISTRY_NOT_STARTED',
    {
      what: `The registry ${name} in the namespace did not start: ${reason}.`,
      why: 'No registry was named in `kubernetes.image.registry`, so one is started in the cluster.',
      fix: 'Name a registry of your own, or an image of the built-in one that nodes can pull in `kubernetes.image.registryImage`; `kubernetes.delivery` "mount" needs none.',
    },
    { cause },
  )
}

function registryLoginMissing(name: string): BuildError {
  return new BuildError('REGISTRY_LOGIN_MISSING', {
    what: `The registry ${name} in the namespace has no login.`,
    why: `There is no Secret ${name} that "turbolift registry install" would have made, so that everybody may push there.`,
    fix: 'Run "turbolift registry install" again: it keeps the images where they are in a volume.',
  })
}
