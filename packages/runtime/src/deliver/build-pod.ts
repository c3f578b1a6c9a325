import type { V1Pod, V1ResourceRequirements, V1SecurityContext, V1Volume, V1VolumeMount } from '@kubernetes/client-node'

import type { DeliveryScope } from './delivery.ts'
import { type BuildTarget, KANIKO_IMAGE, toKanikoArguments } from './kaniko-arguments.ts'
import type { KanikoInput } from './options.ts'

export const DEFAULT_BUILD_TIMEOUT_MS = 300_000

export interface BuildPodRequest {
  readonly name: string
  readonly scope: Pick<DeliveryScope, 'namespace' | 'labels' | 'owner'>
  readonly target: Omit<BuildTarget, 'certificates'>
  readonly options: KanikoInput
  /** Secret with the credentials for pushing, of type `kubernetes.io/dockerconfigjson`. */
  readonly pushSecret: string | undefined
  /** ConfigMap whose `ca.crt` vouches for the registry. */
  readonly certificates: string | undefined
  /** Whether the Dockerfile has `RUN` lines. */
  readonly runsCommands: boolean
  /** Architecture to build for, where the user said so. */
  readonly architecture: string | undefined
}

const CERTIFICATES = '/kaniko/turbolift-ca'

/**
 * The pod that builds. A bare pod, not a Job: a refusal (quota, pod security, permission) is the answer to its
 * creation, and it is seen as done a second before a Job would be.
 */
export function toBuildPod(request: BuildPodRequest): V1Pod {
  const { name, scope, target, options, certificates, runsCommands } = request
  const file = certificates === undefined ? undefined : `${CERTIFICATES}/ca.crt`
  const mounts = toMounts(request)
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: scope.namespace,
      labels: { ...scope.labels, 'turbolift.dev/role': 'build' },
      // A mesh's sidecar would outlive the build, so that the pod never ends.
      annotations: { 'sidecar.istio.io/inject': 'false', 'linkerd.io/inject': 'disabled' },
      ownerReferences: [scope.owner],
    },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 0,
      activeDeadlineSeconds: Math.ceil((options.timeoutMs ?? DEFAULT_BUILD_TIMEOUT_MS) / 1000),
      ...(request.architecture === undefined ? {} : { nodeSelector: { 'kubernetes.io/arch': request.architecture } }),
      containers: [
        {
          name: 'kaniko',
          image: options.image ?? KANIKO_IMAGE,
          args: [...toKanikoArguments({ ...target, certificates: file }, options, '/dev/termination-log')],
          stdin: true,
          stdinOnce: true,
          resources: toResources(options),
          securityContext: toSecurityContext(runsCommands),
          volumeMounts: mounts.map(({ mount }) => mount),
        },
      ],
      volumes: mounts.map(({ volume }) => volume),
    },
  }
}

/** Kaniko unpacks the base image over its own root, as root; this is the least that pod security `baseline` and Debian images need. */
function toSecurityContext(runsCommands: boolean): V1SecurityContext {
  const add = ['CHOWN', 'FOWNER', 'DAC_OVERRIDE', ...(runsCommands ? ['SETGID', 'SETUID', 'SETFCAP'] : [])]
  return {
    runAsUser: 0,
    runAsNonRoot: false,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'], add },
    seccompProfile: { type: 'RuntimeDefault' },
  }
}

function toResources({ cpu, memory, ephemeralStorage }: KanikoInput): V1ResourceRequirements {
  const requests = { cpu: cpu ?? '250m', memory: memory ?? '256Mi' }
  const limits = { ...(cpu === undefined ? {} : { cpu }), memory: memory ?? '2Gi' }
  if (ephemeralStorage === undefined) return { requests, limits }
  const storage = { 'ephemeral-storage': ephemeralStorage }
  return { requests: { ...requests, ...storage }, limits: { ...limits, ...storage } }
}

interface Mount {
  readonly volume: V1Volume
  readonly mount: V1VolumeMount
}

function toMounts({ pushSecret, certificates }: BuildPodRequest): readonly Mount[] {
  const mounts: Mount[] = []
  if (pushSecret !== undefined) {
    // Kaniko looks for `config.json`; Secrets of this type have another key.
    const items = [{ key: '.dockerconfigjson', path: 'config.json' }]
    mounts.push({
      volume: { name: 'docker', secret: { secretName: pushSecret, items } },
      mount: { name: 'docker', mountPath: '/kaniko/.docker', readOnly: true },
    })
  }
  if (certificates !== undefined)
    mounts.push({
      volume: { name: 'certificates', configMap: { name: certificates } },
      mount: { name: 'certificates', mountPath: CERTIFICATES, readOnly: true },
    })
  return mounts
}
