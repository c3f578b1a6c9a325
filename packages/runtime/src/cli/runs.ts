import { wallClock } from '@turbolift/worker-base/clock'
import type { V1Deployment, V1Job, V1Pod } from '@kubernetes/client-node'

import { INSTALLED_REGISTRY } from '../deliver/registry-objects.ts'
import type { KubernetesClient } from '../deploy/client.ts'
import { managedSelector, roleLabel, runLabel } from '../deploy/names.ts'
import { wrongUsage } from './command.ts'

/** A run as the cluster sees it. */
export interface ListedRun {
  readonly id: string
  /** Name of the anchor. */
  readonly name: string
  readonly uid: string
  readonly program: string
  readonly state: 'running' | 'ending' | 'expired' | 'suspended'
  readonly ageSeconds: number
  /** Seconds after which the run goes, when its program stays silent. */
  readonly leftSeconds: number | undefined
  readonly workers: number
  readonly readyWorkers: number
  /** Host, process id and user of the program. */
  readonly startedBy: string
}

/** A registry that stays when runs end. */
export interface ListedRegistry {
  readonly name: string
  readonly ageSeconds: number
  readonly isReady: boolean
}

/** All runs of the client's namespace, the oldest first. */
export async function listRuns(
  client: KubernetesClient,
  { signal }: { readonly signal: AbortSignal },
): Promise<readonly ListedRun[]> {
  const [anchors, workers] = await Promise.all([
    client.list('Job', { labelSelector: `${managedSelector},${roleLabel}=anchor`, signal }),
    client.list('Pod', { labelSelector: `${managedSelector},${roleLabel}=worker`, signal }),
  ])
  const now = wallClock()
  return anchors.map((anchor) => toListed(anchor, workers, now)).toSorted((a, b) => b.ageSeconds - a.ageSeconds)
}

export async function listRegistries(
  client: KubernetesClient,
  { signal }: { readonly signal: AbortSignal },
): Promise<readonly ListedRegistry[]> {
  const labelSelector = `${managedSelector},${roleLabel}=registry,!${runLabel}`
  const found = await client.list('Deployment', { labelSelector, signal })
  return found.map((deployment) => ({
    name: deployment.metadata?.name ?? INSTALLED_REGISTRY,
    ageSeconds: toAge(deployment, wallClock()),
    isReady: (deployment.status?.readyReplicas ?? 0) > 0,
  }))
}

/**
 * The one run that is meant by its id, its name, or the start of either.
 * @throws ConfigError `COMMAND_USAGE` when there is none, or more than one
 */
export function pickRun(runs: readonly ListedRun[], wanted: string): ListedRun {
  const found = runs.filter(({ id, name }) => id === wanted || name === wanted)
  const matching =
    found.length > 0 ? found : runs.filter(({ id, name }) => id.startsWith(wanted) || name.startsWith(wanted))
  const [run, other] = matching
  if (run === undefined)
    throw wrongUsage(`There is no run "${wanted}" in the namespace.`, '"turbolift ls" lists the runs.')
  if (other !== undefined)
    throw wrongUsage(
      `"${wanted}" means more than one run.`,
      `Write more of one of ${matching.map(({ id }) => id).join(', ')}.`,
    )
  return run
}

/** A time as people say it: 42s, 5m, 3h, 2d. */
export function toAgeText(seconds: number): string {
  if (seconds < 100) return `${Math.round(seconds)}s`
  if (seconds < 6000) return `${Math.round(seconds / 60)}m`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)}h` : `${Math.round(seconds / 86_400)}d`
}

function toListed(anchor: V1Job, allWorkers: readonly V1Pod[], now: number): ListedRun {
  const { labels = {}, annotations = {}, name = '', uid = '' } = anchor.metadata ?? {}
  const id = labels[runLabel] ?? ''
  const workers = allWorkers.filter(({ metadata }) => metadata?.labels?.[runLabel] === id)
  const started = anchor.status?.startTime
  const deadline = anchor.spec?.activeDeadlineSeconds
  const hasDeadline = started !== undefined && deadline !== undefined
  return {
    id,
    name,
    uid,
    program: labels['turbolift.dev/program'] ?? '',
    state: toState(anchor),
    ageSeconds: toAge(anchor, now),
    leftSeconds: hasDeadline ? deadline - Math.round((now - new Date(started).getTime()) / 1000) : undefined,
    workers: workers.length,
    readyWorkers: workers.filter(isReady).length,
    startedBy: ['user', 'host', 'pid'].map((key) => annotations[`turbolift.dev/${key}`] ?? '?').join(' '),
  }
}

function toState({ metadata, status }: V1Job): ListedRun['state'] {
  if (metadata?.deletionTimestamp !== undefined) return 'ending'
  if (status?.conditions?.some(({ type }) => type === 'Failed' || type === 'FailureTarget') === true) return 'expired'
  return status?.startTime === undefined ? 'suspended' : 'running'
}

function isReady(pod: V1Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
}

function toAge({ metadata }: V1Job | V1Deployment, now: number): number {
  const created = metadata?.creationTimestamp
  return created === undefined ? 0 : Math.max(0, (now - new Date(created).getTime()) / 1000)
}
