// Why workers do not come up, or go away, in the words of the cluster.
import { DeployError, OutOfMemoryError } from '../errors.ts'
import type { LiftError } from '../errors.ts'

/** A node cannot get the workers' image. */
export function imagePullFailed(image: string, reason: string): DeployError {
  return new DeployError('IMAGE_PULL_FAILED', {
    what: `A node of the cluster cannot pull the image ${image}.`,
    why: reason,
    fix: toPullFix(reason),
  })
}

function toPullFix(reason: string): string {
  if (/401|403|unauthorized|denied/i.test(reason)) {
    return "Name a Secret with the registry's login in kubernetes.imagePullSecrets or registry.pullSecret."
  }
  if (/HTTP response to HTTPS client|x509/.test(reason)) {
    return 'The nodes do not trust the registry: configure their container runtime for it, or use a registry that they trust.'
  }
  if (/not found/.test(reason))
    return 'Check the name and tag. Nodes may know the registry by another name than this program: registry.pull.'
  return 'Check that the nodes can reach the registry under this name: registry.pull.'
}

/** No node takes the pod. */
export function podUnschedulable(pod: string, reason: string): DeployError {
  return new DeployError('POD_UNSCHEDULABLE', {
    what: `No node of the cluster takes the worker ${pod}.`,
    why: reason,
    fix: 'Ask for less (kubernetes.resources), let workers run on more nodes (nodeSelector, tolerations), or add nodes.',
  })
}

/** Quota, pod security, a webhook or a missing account stand against every pod. */
export function podsRefused(reason: string): DeployError {
  const known = refusals.find(({ sign }) => sign.test(reason))
  return new DeployError(known?.code ?? 'PODS_REFUSED', {
    what: 'The cluster refuses to create worker pods.',
    why: reason,
    fix: known?.fix ?? 'Read the reason above; it is that of the namespace or of an admission webhook.',
  })
}

const refusals = [
  {
    sign: /(exceeded|failed) quota/,
    code: 'QUOTA_EXCEEDED',
    fix: 'Ask for less (maxReplicas, kubernetes.resources), free what the namespace uses, or have the quota raised.',
  },
  {
    sign: /violates PodSecurity/,
    code: 'POD_SECURITY_REFUSED',
    fix: 'Workers satisfy "restricted" by themselves: look at what kubernetes.patch changes, or use another namespace.',
  },
] as const

/** Something that the pod names does not exist, or its command cannot be run. */
export function workerNotConfigured(pod: string, reason: string): DeployError {
  return new DeployError('WORKER_NOT_STARTED', {
    what: `The container of worker ${pod} cannot be started.`,
    why: reason,
    fix: 'Check that the Secrets of kubernetes.secrets exist in the namespace, and that the image has Node and does not need to run as root.',
  })
}

/** Volumes or the pod's network could not be set up. */
export function volumeMountFailed(pod: string, reason: string): DeployError {
  return new DeployError('POD_NOT_SET_UP', {
    what: `The node cannot set up the worker ${pod}.`,
    why: reason,
    fix: "A volume that does not exist has to be created; trouble with sandboxes or networks is the node's own.",
  })
}

export interface Terminated {
  readonly exitCode: number
  readonly reason?: string
  /** The last lines that it printed. */
  readonly message?: string
}

/** The worker ended by itself. */
export function workerCrashed(pod: string, { exitCode, message = '' }: Terminated): DeployError {
  const lines = message
    .trimEnd()
    .split('\n')
    .slice(-20)
    .map((line) => `    ${line}`)
    .join('\n')
  return new DeployError('WORKER_EXITED', {
    what: `Worker ${pod} ended with exit code ${exitCode}.`,
    why: message.trim() === '' ? 'It printed nothing before.' : `Its last lines:\n${lines}`,
    fix: 'Look at the last lines; run with TURBOLIFT_TARGET=inline to debug the functions in this process.',
  })
}

/** The kernel, or Node, ended the worker for its use of memory. */
export function workerOutOfMemory(pod: string, limit: string | undefined): OutOfMemoryError {
  return new OutOfMemoryError('OUT_OF_MEMORY', {
    what: `Worker ${pod} used more memory than it may${limit === undefined ? '' : ` (${limit})`}.`,
    why: 'The system ends a container that goes over its limit, with everything that runs in it.',
    fix: 'Raise kubernetes.resources.memory, lower concurrency, or give the function less at a time.',
  })
}

/** The node needed the room, is drained, or the pod used too much disk. */
export function podEvicted(pod: string, reason: string): DeployError {
  return new DeployError('POD_EVICTED', {
    what: `The cluster has taken the worker ${pod} off its node.`,
    why: reason,
    fix: 'Its calls are tried again elsewhere. If it was its use of disk, raise kubernetes.resources.disk.',
  })
}

/** Why no worker comes up, and why the one went away that it was to replace: what began it is what one has to know. */
export function notReplaced(obstacle: LiftError, loss: LiftError | undefined): LiftError {
  if (loss === undefined || loss.code === obstacle.code || !(obstacle instanceof DeployError)) return obstacle
  const { what, why, fix } = obstacle.explanation
  const before = `${loss.explanation.what} ${loss.explanation.why}`
  return new DeployError(obstacle.code, { what, why: `${why}\n  before: ${before}`, fix }, { cause: loss })
}

/** Workers were asked for, and none answered in time. */
export function readyTimeout(seconds: number, lastState: string): DeployError {
  return new DeployError('READY_TIMEOUT', {
    what: `No worker was ready within ${seconds} s.`,
    why: `Last seen: ${lastState}.`,
    fix: 'Raise startTimeoutMs if the cluster is slow; "kubectl describe pod" shows more.',
  })
}
