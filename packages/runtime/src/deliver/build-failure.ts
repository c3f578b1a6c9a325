import type { CoreV1Event, V1ContainerStatus, V1Pod } from '@kubernetes/client-node'

import type { ClusterRequestError } from '../deploy/client/errors.ts'
import { isRefused } from '../deploy/readiness.ts'
import { BuildError, type Explanation } from '../errors.ts'
import type { BuildLog } from './build-log.ts'

/** The cluster refused to create the build pod: quota, pod security, permission, a webhook. Keeps the refusal's code. */
export function refusedBuildPod(refusal: ClusterRequestError): BuildError {
  const { code, status } = refusal
  const explanation: Explanation = {
    what: 'The cluster refused the pod that builds the image.',
    why: status.message,
    fix: buildFixes[code] ?? 'The reason above is the cluster\'s. "turbolift doctor" checks what a build needs.',
  }
  return new BuildError(code, explanation, { cause: refusal })
}

const buildFixes: Readonly<Record<string, string>> = {
  POD_SECURITY_REFUSED:
    'Kaniko needs a namespace with pod security level "baseline". Set `kubernetes.image.builder` to "append", which builds without a pod, or `kubernetes.delivery` to "mount".',
  QUOTA_EXCEEDED:
    'Ask for less in `kubernetes.image.kaniko` (cpu, memory), free what the namespace uses, or have the quota raised.',
  CLUSTER_PERMISSION_DENIED:
    '"turbolift role | kubectl apply -f -" grants what a run needs. `kubernetes.image.builder` "append" builds without a pod.',
}

/** A state from which the build pod will not recover, or `undefined`. */
export function toStuckError(pod: V1Pod, { pulls }: { readonly pulls: number }): BuildError | undefined {
  const waiting = kanikoStatus(pod)?.state?.waiting
  const reason = waiting?.reason ?? ''
  const isCertain =
    ['InvalidImageName', 'ErrImageNeverPull'].includes(reason) || /not found/i.test(waiting?.message ?? '')
  // One failed pull may be the network's fault; two are not.
  if (/^(ErrImage|ImagePull|InvalidImage)/.test(reason) && (isCertain || pulls > 1))
    return new BuildError('BUILD_IMAGE_PULL_FAILED', {
      what: `The node cannot pull the Kaniko image: ${waiting?.message ?? reason}`,
      why: 'The build runs in a container of this image.',
      fix: 'Name an image that the nodes can pull in `kubernetes.image.kaniko.image`, or set `kubernetes.image.builder` to "append".',
    })
  if (isRefused(waiting))
    return new BuildError('BUILD_POD_FAILED', {
      what: `The build container cannot start: ${waiting?.message ?? reason}`,
      why: 'The node refused the container.',
      fix: "The reason above is the node's; `kubernetes.image.kaniko` holds what can be set.",
    })
  return undefined
}

/** An event that says why the pod stays in `ContainerCreating`. */
export function toMountError({ reason, message }: CoreV1Event): BuildError | undefined {
  if (reason !== 'FailedMount' || !/not found|references non-existent/i.test(message ?? '')) return undefined
  return new BuildError('BUILD_POD_FAILED', {
    what: `The build pod lacks what it mounts: ${message ?? ''}`,
    why: 'The Secret in `kubernetes.image.registry.pushSecret` holds the credentials for pushing.',
    fix: 'Create the Secret in the namespace (type kubernetes.io/dockerconfigjson), or correct its name.',
  })
}

/** The cluster took the pod away while it built. */
export function buildInterrupted(): BuildError {
  return new BuildError('BUILD_INTERRUPTED', {
    what: 'The pod that builds the image was deleted while it ran, again and again.',
    why: 'Something in the cluster removes it: a drained node, a policy, a person.',
    fix: 'See the events of the namespace: "kubectl get events".',
  })
}

export function digestMissing(message: string): BuildError {
  return new BuildError('BUILD_FAILED', {
    what: 'The build ended without naming the image that it made.',
    why: `Its last words were: ${message === '' ? '(none)' : message}.`,
    fix: 'Use an executor image of Kaniko 1.9 or newer in `kubernetes.image.kaniko.image`.',
  })
}

/** The build did not begin, or did not end, in time. Says what the pod was last seen waiting for. */
export function buildTimedOut(pod: V1Pod | undefined, timeoutMs: number, events: readonly string[]): BuildError {
  const scheduled = pod?.status?.conditions?.find(({ type }) => type === 'PodScheduled')
  if (scheduled?.status === 'False')
    return new BuildError('BUILD_UNSCHEDULABLE', {
      what: `No node takes the pod that builds the image: ${scheduled.message ?? 'unschedulable'}`,
      why: `It waited ${timeoutMs / 1000} s for a place.`,
      fix: 'Ask for less in `kubernetes.image.kaniko` (cpu, memory, ephemeralStorage), or make room.',
    })
  const last = kanikoStatus(pod)?.state?.waiting?.reason ?? pod?.status?.phase ?? 'not created'
  return new BuildError('BUILD_TIMEOUT', {
    what: `The image was not built within ${timeoutMs / 1000} s; the build pod was last seen ${last}.`,
    why: events.at(-1) ?? 'Pulling and unpacking a large base image takes long on a slow network or disk.',
    fix: 'Raise `kubernetes.image.kaniko.timeoutMs`, or choose a smaller `kubernetes.image.baseImage`.',
  })
}

/** How the ended container says that it failed. */
export interface BuildEnd {
  readonly exitCode: number
  /** Reason of the container's or the pod's end (`OOMKilled`, `Evicted`, `DeadlineExceeded`). */
  readonly reason: string
  readonly message: string
}

/** The pod's end, or `undefined` while it runs. */
export function toBuildEnd(pod: V1Pod): BuildEnd | undefined {
  const ended = kanikoStatus(pod)?.state?.terminated
  const isOver = pod.status?.phase === 'Failed' || ended !== undefined
  if (!isOver) return undefined
  const reason = pod.status?.reason ?? ended?.reason ?? ''
  return { exitCode: ended?.exitCode ?? 1, reason, message: pod.status?.message ?? ended?.message ?? '' }
}

/** What failed, from the way the builder ended and what it printed. */
export function toBuildError(end: BuildEnd, log: BuildLog, timeoutMs: number): BuildError {
  if (end.reason === 'DeadlineExceeded') return buildTimedOut(undefined, timeoutMs, log.lines)
  const text = `${end.message}\n${log.error ?? log.lines.slice(-5).join('\n')}`
  const known = failures.find((failure) => failure.matches(end, text))
  const tail = log.lines.slice(-15).map((line) => `    ${line}`)
  const what = `${known?.what ?? 'The image could not be built'}: ${log.error ?? (end.message || `exit code ${end.exitCode}`)}`
  return new BuildError(known?.code ?? 'BUILD_FAILED', {
    what,
    why: ["the end of the build's log is", ...tail].join('\n'),
    fix: known?.fix ?? 'The log above names the step that failed; `kubernetes.image.kaniko.showLog` shows all of it.',
  })
}

interface KnownFailure {
  readonly code: string
  readonly what: string
  readonly fix: string
  matches(end: BuildEnd, text: string): boolean
}

const isPush = (text: string): boolean => /push/i.test(text)

const failures: readonly KnownFailure[] = [
  {
    code: 'BUILD_OUT_OF_MEMORY',
    what: 'The build needed more memory than it may have',
    fix: 'Raise `kubernetes.image.kaniko.memory`.',
    matches: ({ reason, exitCode }) => reason === 'OOMKilled' || exitCode === 137,
  },
  {
    code: 'BUILD_DISK_FULL',
    what: 'The build ran out of disk space',
    fix: 'The base image is unpacked on the node: raise `kubernetes.image.kaniko.ephemeralStorage`, free space, or use a smaller base image or builder "append".',
    matches: ({ reason }, text) =>
      /no space left on device|disk quota exceeded/i.test(text) ||
      (reason === 'Evicted' && /ephemeral|emptydir|disk/i.test(text)),
  },
  {
    code: 'BUILD_EVICTED',
    what: 'The node evicted the pod that builds the image',
    fix: 'The node was short of a resource: set `kubernetes.image.kaniko` requests, or make room.',
    matches: ({ reason }) => reason === 'Evicted' || reason === 'Preempting' || reason === 'NodeShutdown',
  },
  {
    code: 'PUSH_DENIED',
    what: 'The registry does not take the image',
    fix: 'Name a Secret with credentials in `kubernetes.image.registry.pushSecret`, or set `kubernetes.image.registry.shareCredentials`.',
    matches: (_, text) => isPush(text) && /UNAUTHORIZED|DENIED|\b40[13]\b|authentication required/i.test(text),
  },
  {
    code: 'REGISTRY_UNREACHABLE',
    what: 'The build cannot reach a registry',
    fix: 'Check the name in `kubernetes.image.registry.push` as pods see it, `kubernetes.image.registry.insecure` for plain HTTP, `kubernetes.image.registry.caFile` for a private authority, and `kubernetes.image.kaniko.insecureRegistries` for that of the base image.',
    matches: (_, text) =>
      /HTTP response to HTTPS client|x509:|no such host|connection refused|i\/o timeout|dial tcp|TLS handshake|network is unreachable/i.test(
        text,
      ),
  },
  {
    code: 'IMAGE_NOT_FOUND',
    what: 'The base image is not to be had',
    fix: 'Check `kubernetes.image.baseImage`, and `kubernetes.image.registry.pushSecret` when its registry wants a login.',
    matches: (_, text) => !isPush(text) && /MANIFEST_UNKNOWN|NAME_UNKNOWN|UNAUTHORIZED|not found|\b404\b/i.test(text),
  },
  {
    code: 'REGISTRY_REFUSED',
    what: 'The registry refused the image',
    fix: "The words are the registry's: check its rules for this repository, and its free space.",
    matches: (_, text) => isPush(text),
  },
]

function kanikoStatus(pod: V1Pod | undefined): V1ContainerStatus | undefined {
  return pod?.status?.containerStatuses?.find(({ name }) => name === 'kaniko')
}
