import { DeployError } from '../../errors.ts'
import type { Explanation } from '../../errors.ts'
import { toVisibleText } from '../../visible-text.ts'

/** What the API server said when it refused a request. */
export interface ApiStatus {
  /** HTTP status. */
  readonly code: number
  /** One word, such as `NotFound`, `AlreadyExists`, `Forbidden`. */
  readonly reason: string
  readonly message: string
  /** Machine-readable details, such as `NamespaceTerminating`. */
  readonly causes: readonly string[]
  readonly retryAfterSeconds: number | undefined
}

export interface Refused {
  /** Method and path. */
  readonly request: string
  readonly status: ApiStatus
  readonly attempts: number
}

/** A request that the API server refused. */
export class ClusterRequestError extends DeployError {
  override name = 'ClusterRequestError'
  readonly status: ApiStatus
  /** 1, or more when earlier attempts got no answer and may have had an effect. */
  readonly attempts: number
  constructor(code: string, { status, attempts }: Refused, explanation: Explanation) {
    super(code, explanation)
    this.status = status
    this.attempts = attempts
  }
}

/** Whether the API server refused a request with this reason (`NotFound`, `AlreadyExists`, `Conflict` …). */
export function isRefusal(error: unknown, reason: string): error is ClusterRequestError {
  return error instanceof ClusterRequestError && error.status.reason === reason
}

/** The answer's body → what went wrong, whatever answered. */
export function parseStatus(code: number, body: string, retryAfter: string | undefined): ApiStatus {
  const status = toRecord(parseJson(body))
  const details = toRecord(status['details'])
  const causes = Array.isArray(details['causes'])
    ? details['causes'].map((cause) => toText(toRecord(cause)['reason']))
    : []
  const seconds = Number(retryAfter ?? details['retryAfterSeconds'])
  return {
    code: typeof status['code'] === 'number' ? status['code'] : code,
    reason: toText(status['reason']) || `Http${code}`,
    message: toVisibleText(toText(status['message']) || body.slice(0, 500).trim() || `HTTP ${code}`),
    causes: causes.filter((cause) => cause !== ''),
    retryAfterSeconds: Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined,
  }
}

/** Names the reason of a refusal, so that nobody has to read HTTP statuses. */
export function toRequestError(refused: Refused): ClusterRequestError {
  const { request, status } = refused
  const known = refusals.find(({ matches }) => matches(status))
  const what = `The cluster refused "${request}" (${status.code} ${status.reason}).`
  if (known === undefined) {
    return new ClusterRequestError('CLUSTER_REQUEST_FAILED', refused, {
      what,
      why: status.message,
      fix: 'Read the reason above; "turbolift doctor" checks what a run needs from the cluster.',
    })
  }
  return new ClusterRequestError(known.code, refused, { what, why: status.message, fix: known.fix })
}

interface Refusal {
  readonly code: string
  readonly fix: string
  readonly matches: (status: ApiStatus) => boolean
}

const refusals: readonly Refusal[] = [
  {
    code: 'CLUSTER_UNAUTHORIZED',
    fix: 'Log in to the cluster again, or choose another context (TURBOLIFT_CONTEXT); "kubectl auth whoami" shows who you are.',
    matches: ({ code }) => code === 401,
  },
  {
    code: 'NAMESPACE_TERMINATING',
    fix: 'Wait until the namespace is gone and create it again, or choose another one (TURBOLIFT_NAMESPACE).',
    matches: ({ causes }) => causes.includes('NamespaceTerminating'),
  },
  {
    code: 'NAMESPACE_MISSING',
    fix: 'Create it with "kubectl create namespace <name>", or choose another one (TURBOLIFT_NAMESPACE).',
    matches: ({ reason, message }) => reason === 'NotFound' && /^namespaces "[^"]*" not found/.test(message),
  },
  {
    code: 'QUOTA_EXCEEDED',
    fix: 'Ask for less (maxReplicas, kubernetes.resources), free what the namespace uses, or have the quota raised.',
    matches: ({ code, message }) => code === 403 && /(exceeded|failed) quota/.test(message),
  },
  {
    code: 'POD_SECURITY_REFUSED',
    fix: 'The namespace enforces a pod security level: workers satisfy "restricted", a Kaniko build needs "baseline". Use builder: "append", delivery: "mount", or another namespace.',
    matches: ({ code, message }) => code === 403 && message.includes('violates PodSecurity'),
  },
  {
    code: 'CLUSTER_PERMISSION_DENIED',
    fix: 'This cluster asks who may own what, so that a run needs the verb "update" on "jobs/finalizers": "turbolift role | kubectl apply -f -" creates a Role that has it.',
    matches: ({ code, message }) => code === 403 && message.includes('cannot set blockOwnerDeletion'),
  },
  {
    code: 'CLUSTER_PERMISSION_DENIED',
    fix: 'Have this permission granted: "turbolift role | kubectl apply -f -" creates the Role that a run needs; bind it to the user named above.',
    matches: ({ code, reason }) => code === 403 && reason === 'Forbidden',
  },
]

/** No kubeconfig, no context in it, or no pod's service account. */
export function clusterNotConfigured(
  context: string | undefined,
  known: readonly string[],
  options?: ErrorOptions,
): DeployError {
  const named =
    context === undefined || context === ''
      ? 'There is no usable kubeconfig.'
      : `The kubeconfig has no context "${context}" that leads to a cluster.`
  const reason =
    options?.cause instanceof Error ? options.cause.message : `Known contexts: ${known.join(', ') || 'none'}.`
  return new DeployError(
    'CLUSTER_NOT_CONFIGURED',
    {
      what: named,
      why: reason,
      fix: 'Set KUBECONFIG or TURBOLIFT_CONTEXT so that "kubectl get pods" works, or run with TURBOLIFT_TARGET=local.',
    },
    options,
  )
}

/** The kubeconfig's credentials could not be had: a login command failed, a file is missing. */
export function credentialsFailed(cause: unknown): DeployError {
  return new DeployError(
    'CLUSTER_UNAUTHORIZED',
    {
      what: 'The credentials of the kubeconfig could not be loaded.',
      why: toReason(cause),
      fix: 'Run "kubectl get pods": it uses the same credentials and shows what the login needs.',
    },
    { cause },
  )
}

/** The API server did not answer, after all retries. */
export function clusterUnreachable(request: string, server: URL, cause: unknown): DeployError {
  return new DeployError(
    'CLUSTER_UNREACHABLE',
    {
      what: `The Kubernetes API server at ${server.origin} did not answer "${request}".`,
      why: toReason(cause),
      fix: 'Check the address in the kubeconfig, the network and VPN ("kubectl version" shows the same), or run with TURBOLIFT_TARGET=local.',
    },
    { cause },
  )
}

/** Nobody answered: another time it may be different. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof DeployError && error.code === 'CLUSTER_UNREACHABLE'
}

/** The API server or the node could not connect to the pod's port. */
export function portForwardFailed(pod: string, port: number, reason: string): DeployError {
  return new DeployError('PORT_FORWARD_FAILED', {
    what: `Port ${port} of ${pod} could not be reached through the API server.`,
    why: reason,
    fix: 'The pod may just have ended: its calls are tried elsewhere. If it persists, set kubernetes.reach to "direct" or "ingress".',
  })
}

/** A container's standard input could not be written. */
export function attachFailed(pod: string, cause: unknown): DeployError {
  return new DeployError(
    'ATTACH_FAILED',
    {
      what: `The standard input of ${pod} could not be written.`,
      why: toReason(cause),
      fix: 'The container may have ended early: look at its log. A proxy before the API server must let WebSockets through.',
    },
    { cause },
  )
}

function toReason(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(toReason).join('; ')
  if (cause instanceof ClusterRequestError) return `${cause.status.code} ${cause.status.message}`
  return cause instanceof Error ? cause.message : String(cause)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not from the API server itself but from something before it: a proxy's page, or plain text.
    return undefined
  }
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
