import { performance } from '@turbolift/worker-base/clock'
import type { V1OwnerReference } from '@kubernetes/client-node'

import { ClusterRequestError, isRefusal } from '../../deploy/client.ts'
import { createRunIdentity } from '../../deploy/names.ts'
import { toOwner } from '../../deploy/objects.ts'
import { type Permission, toPermissions } from '../../deploy/permissions.ts'
import type { Check, DoctorSite, Verdict } from './check.ts'
import { ok } from './check.ts'

/** What names it as owner is only shown to the cluster, never created. */
export const absentOwner: V1OwnerReference = toOwner({ name: 'doctor', uid: '00000000-0000-0000-0000-000000000000' })

/** Oldest minor version whose Jobs end as the anchor needs it. */
const OLDEST_MINOR = 27

export const clusterCheck: Check = {
  name: 'cluster',
  async run({ client, signal }) {
    const { body } = await client.request({ method: 'GET', path: '/version', signal, patienceMs: 10_000 })
    const began = performance.now()
    await client.request({ method: 'GET', path: '/version', signal })
    const roundTripMs = (performance.now() - began).toFixed(1)
    const { gitVersion, minor } = parseVersion(body)
    const text = `Kubernetes ${gitVersion} at ${client.server.origin}, context "${client.context}", round trip ${roundTripMs} ms`
    if (minor >= OLDEST_MINOR) return ok(text)
    return {
      state: 'warn',
      text,
      fix: `Versions before 1.${OLDEST_MINOR} are not tested; runs may leave objects behind.`,
    }
  },
}

export const namespaceCheck: Check = {
  name: 'namespace',
  async run({ client, config, signal }) {
    try {
      const namespace = await client.read('Namespace', client.namespace, { signal })
      return toSecurityVerdict(
        client.namespace,
        namespace?.metadata?.labels?.['pod-security.kubernetes.io/enforce'],
        config,
      )
    } catch (error) {
      if (isRefusal(error, 'NotFound')) return toMissingVerdict(client.namespace)
      if (!isRefusal(error, 'Forbidden')) throw error
      return {
        state: 'skip',
        text: `"${client.namespace}" may not be read, which no run needs; the pods that are started below meet its policy`,
      }
    }
  },
}

export const permissionCheck: Check = {
  name: 'permissions',
  async run(site) {
    const wanted = toPermissions(site.config.kubernetes)
    const asked = wanted.flatMap((permission) => permission.verbs.map((verb) => ({ ...permission, verb })))
    const answers = await Promise.all(asked.map(async (one) => ({ ...one, isAllowed: await isAllowed(site, one) })))
    const denied = answers.filter(({ isAllowed: allowed }) => !allowed)
    const asksForOwners = denied.some(isForOwners) && (await asksWhoMayOwn(site))
    const missing = denied.filter((one) => asksForOwners || !isForOwners(one))
    if (missing.length === 0)
      return ok(`all ${asked.length - denied.length} that a run needs in "${site.client.namespace}" are granted`)
    return {
      state: 'fail',
      text: `missing: ${missing.map(toText).join(', ')}`,
      fix: '"turbolift role | kubectl apply -f -" creates a Role with exactly these.',
    }
  },
}

function toText({ verb, resource, names = [] }: Omit<Permission, 'verbs'> & { readonly verb: string }): string {
  return [verb, resource, ...names].join(' ')
}

function isForOwners({ resource }: { readonly resource: string }): boolean {
  return resource === 'jobs/finalizers'
}

/** Whether the cluster wants a permission for naming an owner. Most do not, and no API says which: it is tried. */
async function asksWhoMayOwn({ client, signal }: DoctorSite): Promise<boolean> {
  const run = createRunIdentity('doctor')
  const metadata = { name: run.name, labels: run.labels, ownerReferences: [absentOwner] }
  try {
    await client.create('Secret', { metadata }, { dryRun: true, signal })
    return false
  } catch (error) {
    // Any other refusal is about Secrets, and shows among the permissions.
    if (error instanceof ClusterRequestError) return error.status.message.includes('cannot set blockOwnerDeletion')
    throw error
  }
}

/** Whether the cluster would let us do it. */
export async function isAllowed(
  { client, signal }: DoctorSite,
  { group, resource, verb, names = [] }: Omit<Permission, 'verbs'> & { readonly verb: string },
): Promise<boolean> {
  const [kind = '', subresource] = resource.split('/')
  const [name] = names
  const resourceAttributes = {
    namespace: client.namespace,
    group,
    resource: kind,
    verb,
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  }
  const review = await client.create('SelfSubjectAccessReview', { spec: { resourceAttributes } }, { signal })
  return review.status?.allowed === true
}

function toMissingVerdict(name: string): Verdict {
  return { state: 'fail', text: `"${name}" does not exist`, fix: `kubectl create namespace ${name}` }
}

function toSecurityVerdict(name: string, level: string | undefined, { kubernetes }: DoctorSite['config']): Verdict {
  const text = `"${name}", pod security "${level ?? 'privileged'}"`
  const usesKaniko = kubernetes.delivery === 'image' && (kubernetes.image?.builder ?? 'kaniko') === 'kaniko'
  if (level !== 'restricted' || !usesKaniko) return ok(text)
  return {
    state: 'fail',
    text: `${text}, under which Kaniko cannot build`,
    fix: 'Set TURBOLIFT_BUILDER=append, or TURBOLIFT_DELIVERY=mount, or label the namespace "baseline".',
  }
}

function parseVersion(body: string): { readonly gitVersion: string; readonly minor: number } {
  const json: unknown = JSON.parse(body)
  const fields: Readonly<Record<string, unknown>> = typeof json === 'object' && json !== null ? { ...json } : {}
  return { gitVersion: String(fields['gitVersion']), minor: Number.parseInt(String(fields['minor']), 10) }
}
