import type {
  V1Container,
  V1Deployment,
  V1EnvVar,
  V1PodSpec,
  V1Probe,
  V1ResourceRequirements,
} from '@kubernetes/client-node'

import { toMergePatched } from './merge-patch.ts'
import { toPoolName } from './names.ts'
import {
  containerSecurity,
  podSecurity,
  toAccessName,
  toFunctionLabels,
  toMetadata,
  toPoolLabels,
  toSelector,
  workerPort,
} from './objects.ts'
import type { PoolObjects } from './objects.ts'
import type { ResourcesInput } from './options.ts'

const secretFolder = '/var/run/turbolift'

export function toWorkerDeployment(pool: PoolObjects): V1Deployment {
  const name = toPoolName(pool.run, pool.pool)
  const labels = { ...toPoolLabels(pool), ...toFunctionLabels(pool) }
  return {
    metadata: { ...toMetadata(pool, name), labels },
    spec: {
      // Nothing starts before it is asked for, and the number is only ever changed through `scale`.
      replicas: 0,
      revisionHistoryLimit: 0,
      selector: { matchLabels: toSelector(pool) },
      strategy: { type: 'Recreate' },
      template: {
        metadata: { labels, annotations: { ...pool.options.annotations } },
        spec: toWorkerPod(pool),
      },
    },
  }
}

function toWorkerPod(pool: PoolObjects): V1PodSpec {
  const { affinity } = pool.options
  return toMergePatched(toPlainPod(pool), affinity === undefined ? {} : { affinity })
}

function toPlainPod(pool: PoolObjects): V1PodSpec {
  const { code, options, run } = pool
  const pullSecrets = [...code.imagePullSecrets, ...(options.imagePullSecrets ?? []).map((name) => ({ name }))]
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 10,
    securityContext: podSecurity,
    containers: [toWorkerContainer(pool)],
    volumes: [
      ...code.volumes,
      { name: 'access', secret: { secretName: toAccessName(run), defaultMode: 0o444 } },
      { name: 'tmp', emptyDir: { sizeLimit: options.resources?.disk ?? '256Mi' } },
    ],
    // A lost node is noticed by the silence of its workers; its pods go soon, not after Kubernetes' five minutes.
    tolerations: [...goSoon, ...(options.tolerations ?? [])],
    ...(pullSecrets.length === 0 ? {} : { imagePullSecrets: pullSecrets }),
    nodeSelector: { ...code.nodeSelector, ...options.nodeSelector },
    ...(options.serviceAccount === undefined ? {} : { serviceAccountName: options.serviceAccount }),
  }
}

function toWorkerContainer(pool: PoolObjects): V1Container {
  const { code, options, programArguments } = pool
  return {
    name: 'worker',
    image: code.image,
    imagePullPolicy: 'IfNotPresent',
    command: [...code.command],
    args: programArguments.map(toLiteral),
    workingDir: code.workingDir,
    ports: [{ name: 'http', containerPort: workerPort }],
    env: toEnvironment(pool),
    envFrom: (options.secrets ?? []).map((name) => ({ secretRef: { name } })),
    resources: toResources(options.resources ?? {}),
    securityContext: containerSecurity,
    readinessProbe: toReadinessProbe(pool.isSecure),
    // The pod's status then has the last lines of a worker that ended badly.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [
      ...code.volumeMounts,
      { name: 'access', mountPath: secretFolder, readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  }
}

/** A cluster puts variables in place of `$(NAME)`. */
function toLiteral(word: string): string {
  return word.replaceAll('$', () => '$$')
}

function toEnvironment({ build, concurrency, timeoutMs, options, isSecure }: PoolObjects): V1EnvVar[] {
  const own: Record<string, string> = {
    TURBOLIFT_LISTEN: String(workerPort),
    TURBOLIFT_TOKEN_FILE: `${secretFolder}/token`,
    TURBOLIFT_BUILD: build,
    TURBOLIFT_CONCURRENCY: String(concurrency),
    ...(timeoutMs === 0 ? {} : { TURBOLIFT_TIMEOUT_MS: String(Math.ceil(timeoutMs)) }),
    ...(isSecure
      ? { TURBOLIFT_TLS_CERT: `${secretFolder}/tls.crt`, TURBOLIFT_TLS_KEY: `${secretFolder}/tls.key` }
      : {}),
  }
  const fromUser = Object.entries({ NODE_ENV: 'production', ...options.env })
  return [
    ...[...fromUser, ...Object.entries(own)].map(([name, value]) => ({ name, value })),
    { name: 'TURBOLIFT_WORKER_ID', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
  ]
}

function toResources({ cpu = '500m', cpuLimit, memory = '512Mi' }: ResourcesInput): V1ResourceRequirements {
  return { requests: { cpu, memory }, limits: { memory, ...(cpuLimit === undefined ? {} : { cpu: cpuLimit }) } }
}

// No startup probe: it costs a whole second. A worker that hangs is noticed by the program's own pings.
function toReadinessProbe(isSecure: boolean): V1Probe {
  const httpGet = { path: '/health', port: workerPort, scheme: isSecure ? 'HTTPS' : 'HTTP' }
  return { httpGet, periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 5 }
}

const goSoon = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'].map((key) => ({
  key,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 20,
}))
