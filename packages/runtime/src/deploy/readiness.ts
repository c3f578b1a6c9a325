// Pure functions: what a pod's or a Deployment's status says about a worker, with its reason. No I/O.
import type {
  CoreV1Event,
  V1ContainerStateWaiting,
  V1ContainerStatus,
  V1Deployment,
  V1Pod,
} from '@kubernetes/client-node'

import type { LiftError } from '../errors.ts'
import {
  imagePullFailed,
  podEvicted,
  podsRefused,
  podUnschedulable,
  volumeMountFailed,
  workerCrashed,
  workerNotConfigured,
  workerOutOfMemory,
} from './pod-errors.ts'

/** What is known of one worker's pod. */
export type PodState =
  | { readonly kind: 'starting'; readonly reason: string }
  /** Its container runs; whether it listens yet is another thing. */
  | { readonly kind: 'running'; readonly id: string; readonly address: string }
  | { readonly kind: 'ready'; readonly id: string; readonly address: string }
  /** It will not come up by itself. `afterMs`: only when it stays so for this long. */
  | { readonly kind: 'failing'; readonly error: LiftError; readonly afterMs: number }
  | { readonly kind: 'ended'; readonly reason: LiftError | undefined }

/** A pull is tried again after 10 s, since registries have bad moments. */
const pullPatienceMs = 12_000
const schedulePatienceMs = 60_000
/** A cluster autoscaler that has ordered a node needs minutes. */
const scaleUpPatienceMs = 300_000

export function toPodState(pod: V1Pod): PodState {
  const status = toWorkerStatus(pod)
  if (isEnded(pod)) return { kind: 'ended', reason: toEndReason(pod) }
  const address = pod.status?.podIP
  if (status?.state?.running !== undefined && address !== undefined) {
    return { kind: isReady(pod) ? 'ready' : 'running', id: toIncarnation(pod), address }
  }
  const failure = status === undefined ? toScheduleFailure(pod) : toContainerFailure(pod, status)
  if (failure !== undefined) return { kind: 'failing', ...failure }
  const waiting = status?.state?.waiting
  return { kind: 'starting', reason: waiting?.message ?? waiting?.reason ?? pod.status?.phase ?? 'Pending' }
}

/** One life of the worker in a pod: a container that was started again is another worker. */
export function toIncarnation(pod: V1Pod): string {
  const restarts = toWorkerStatus(pod)?.restartCount ?? 0
  return restarts === 0 ? toName(pod) : `${toName(pod)}.${restarts}`
}

/** Why the worker of this pod ended, as far as the cluster says. */
export function toEndReason(pod: V1Pod): LiftError | undefined {
  if (pod.status?.reason === 'Evicted') return podEvicted(toName(pod), pod.status.message ?? '')
  const disruption = pod.status?.conditions?.find(
    ({ type, status }) => type === 'DisruptionTarget' && status === 'True',
  )
  if (disruption !== undefined) return podEvicted(toName(pod), disruption.message ?? disruption.reason ?? '')
  const status = toWorkerStatus(pod)
  const terminated = status?.state?.terminated ?? status?.lastState?.terminated
  if (terminated === undefined || terminated.exitCode === 0) return undefined
  if (isOutOfMemory(terminated)) return workerOutOfMemory(toName(pod), toMemoryLimit(pod))
  return workerCrashed(toName(pod), terminated)
}

/** Why no pods come at all: refused by quota, pod security, a webhook, a missing account. */
export function toDeploymentFailure({
  status,
}: V1Deployment): { readonly error: LiftError; readonly afterMs: number } | undefined {
  const failure = status?.conditions?.find(
    (condition) => condition.type === 'ReplicaFailure' && condition.status === 'True',
  )
  // Pods of a run before may still be going, and the quota with them.
  return failure === undefined ? undefined : { error: podsRefused(failure.message ?? ''), afterMs: 3_000 }
}

/** What only events tell of a pod that never gets to its container. */
export function toEventFailure(pod: string, { type, reason, message = '' }: CoreV1Event): LiftError | undefined {
  // A busy kubelet first says that it waits for its own copy of a ConfigMap; whether there is one it says later.
  if (type !== 'Warning' || /failed to sync \w+ cache/.test(message)) return undefined
  const isMount = reason === 'FailedMount' || reason === 'FailedAttachVolume' || reason === 'FailedCreatePodSandBox'
  return isMount ? volumeMountFailed(pod, `${reason}: ${message}`) : undefined
}

/** Whether a cluster autoscaler promised a node for the pod. */
export function isScaleUp({ reason }: CoreV1Event): boolean {
  return reason === 'TriggeredScaleUp'
}

export { scaleUpPatienceMs }

function isEnded(pod: V1Pod): boolean {
  const phase = pod.status?.phase
  if (phase === 'Failed' || phase === 'Succeeded') return true
  // On its way out, and its container is through.
  return pod.metadata?.deletionTimestamp !== undefined && toWorkerStatus(pod)?.state?.terminated !== undefined
}

function isReady(pod: V1Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
}

interface Failure {
  readonly error: LiftError
  readonly afterMs: number
}

function toScheduleFailure(pod: V1Pod): Failure | undefined {
  const condition = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False')
  if (condition?.reason !== 'Unschedulable') return undefined
  return { error: podUnschedulable(toName(pod), condition.message ?? ''), afterMs: schedulePatienceMs }
}

function toContainerFailure(pod: V1Pod, status: V1ContainerStatus): Failure | undefined {
  const { reason = '', message = '' } = status.state?.waiting ?? {}
  const name = toName(pod)
  if (neverPulled.has(reason)) return { error: imagePullFailed(status.image, message || reason), afterMs: 0 }
  // The back-off's message repeats only the name; the one before it has the reason.
  if (reason === 'ErrImagePull') return { error: imagePullFailed(status.image, message), afterMs: pullPatienceMs }
  if (reason === 'ImagePullBackOff') return { error: imagePullFailed(status.image, message), afterMs: pullPatienceMs }
  if (isRefused(status.state?.waiting)) return { error: workerNotConfigured(name, `${reason}: ${message}`), afterMs: 0 }
  return toCrash(pod, status)
}

/** The node will not start the container. One that has not heard of the pod's Secrets or ConfigMaps yet asks again. */
export function isRefused({ reason = '', message = '' }: V1ContainerStateWaiting = {}): boolean {
  return neverStarted.has(reason) && !/failed to sync (?:secret|configmap) cache/.test(message)
}

const neverPulled: ReadonlySet<string> = new Set(['ErrImageNeverPull', 'InvalidImageName', 'ImageInspectError'])
const neverStarted: ReadonlySet<string> = new Set([
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
])

// Once may be bad luck, such as a node that was out of memory for a moment.
function toCrash(pod: V1Pod, status: V1ContainerStatus): Failure | undefined {
  const terminated = status.state?.terminated ?? status.lastState?.terminated
  if (terminated === undefined) return undefined
  if (terminated.reason === 'StartError' || terminated.reason === 'ContainerCannotRun') {
    return { error: workerNotConfigured(toName(pod), terminated.message ?? terminated.reason), afterMs: 0 }
  }
  if (status.restartCount < 1 || status.state?.running !== undefined) return undefined
  const isMemory = isOutOfMemory(terminated)
  return {
    error: isMemory ? workerOutOfMemory(toName(pod), toMemoryLimit(pod)) : workerCrashed(toName(pod), terminated),
    afterMs: 0,
  }
}

function isOutOfMemory({
  reason,
  exitCode,
  message = '',
}: {
  readonly reason?: string
  readonly exitCode: number
  readonly message?: string
}): boolean {
  return reason === 'OOMKilled' || (exitCode === 134 && message.includes('heap out of memory'))
}

function toMemoryLimit(pod: V1Pod): string | undefined {
  return pod.spec?.containers.find(({ name }) => name === 'worker')?.resources?.limits?.['memory']
}

function toWorkerStatus(pod: V1Pod): V1ContainerStatus | undefined {
  return pod.status?.containerStatuses?.find(({ name }) => name === 'worker')
}

function toName(pod: V1Pod): string {
  return pod.metadata?.name ?? ''
}
