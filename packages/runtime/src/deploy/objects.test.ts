import { describe, expect, test } from 'vitest'

import { toBuildPod } from '../deliver/build-pod.ts'
import { createRunIdentity } from './names.ts'
import { toAnchor, toAutoscaler, toNetworkPolicy, toOwner, toRunSecret, toSelector, toService } from './objects.ts'
import type { PoolObjects } from './objects.ts'
import type { ClusterInput } from './options.ts'
import { toIngress } from './routes.ts'
import { toWorkerDeployment } from './worker-objects.ts'

const run = createRunIdentity('My Program', { team: 'blue', 'turbolift.dev/run': 'another' })
const owner = toOwner({ name: run.name, uid: 'uid-1' })
const secret = { token: 'the-token', certificate: 'the-certificate', key: 'the-key' }

const toPool = (options: ClusterInput = {}, more: Partial<PoolObjects> = {}): PoolObjects => ({
  run,
  owner,
  pool: 'big one',
  functions: ['src/main.ts#square', 'src/Größe und mehr.ts#jobs.$run'],
  code: {
    image: 'registry.example/x@sha256:0',
    command: ['node', 'worker.js'],
    workingDir: '/app',
    volumes: [{ name: 'code', emptyDir: {} }],
    volumeMounts: [{ name: 'code', mountPath: '/app' }],
    imagePullSecrets: [{ name: 'pull' }],
    nodeSelector: { 'kubernetes.io/arch': 'arm64' },
  },
  build: 'hash',
  concurrency: 3,
  timeoutMs: 5000,
  programArguments: [],
  options,
  isSecure: true,
  ...more,
})

function toWorker(options: ClusterInput = {}, more: Partial<PoolObjects> = {}) {
  const deployment = toWorkerDeployment(toPool(options, more))
  const pod = deployment.spec?.template.spec
  const [container] = pod?.containers ?? []
  return { deployment, pod, container, env: new Map(container?.env?.map(({ name, value }) => [name, value])) }
}

/** What the pod security standard `restricted` asks for. @see https://kubernetes.io/docs/concepts/security/pod-security-standards/ */
const restrictedPod = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }
const restrictedContainer = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }

describe('security of workers', () => {
  test('pods are restricted, have no token, and can write nowhere but in a bounded /tmp', () => {
    const { pod, container } = toWorker()
    expect(pod).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false })
    expect(pod?.securityContext).toMatchObject({ ...restrictedPod, runAsUser: 65_532 })
    expect(container?.securityContext).toEqual({ ...restrictedContainer, readOnlyRootFilesystem: true })
    expect(pod?.volumes).toContainEqual({ name: 'tmp', emptyDir: { sizeLimit: '256Mi' } })
    expect(pod).not.toHaveProperty('hostNetwork')
    expect(pod?.volumes?.filter((volume) => volume.hostPath !== undefined)).toEqual([])
  })

  test('a service account of the user changes nothing about that', () => {
    expect(toWorker({ serviceAccount: 'own' }).pod).toMatchObject({
      serviceAccountName: 'own',
      automountServiceAccountToken: false,
    })
  })

  test('the anchor, which never runs, would be restricted too', () => {
    const { spec } = toAnchor({ run, deadlineSeconds: 60, annotations: {} })
    expect(spec).toMatchObject({ parallelism: 0, ttlSecondsAfterFinished: 0, activeDeadlineSeconds: 60 })
    expect(spec?.template.spec).toMatchObject({ automountServiceAccountToken: false, securityContext: restrictedPod })
    expect(spec?.template.spec?.containers[0]?.securityContext).toMatchObject(restrictedContainer)
  })

  test('the build pod is root with the least that Kaniko needs, and has no token', () => {
    const build = { name: 'b', target: { destination: 'r/x:1', host: 'r', isInsecure: false }, options: {} }
    const scope = { namespace: 'n', labels: run.labels, owner }
    const none = { pushSecret: undefined, certificates: undefined, architecture: undefined }
    const pod = toBuildPod({ ...build, scope, ...none, runsCommands: false })
    expect(pod.spec).toMatchObject({ automountServiceAccountToken: false, restartPolicy: 'Never' })
    expect(pod.spec?.containers[0]?.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'], add: ['CHOWN', 'FOWNER', 'DAC_OVERRIDE'] },
      seccompProfile: { type: 'RuntimeDefault' },
    })
    expect(pod.metadata?.ownerReferences).toEqual([owner])
  })

  test('token and key are in an immutable Secret, and what runs the workers only names its files', () => {
    expect(toRunSecret({ run, owner }, secret)).toMatchObject({
      immutable: true,
      stringData: { token: 'the-token', 'tls.crt': 'the-certificate', 'tls.key': 'the-key' },
    })
    const { env, pod } = toWorker()
    expect(env.get('TURBOLIFT_TOKEN_FILE')).toBe('/var/run/turbolift/token')
    expect(env.has('TURBOLIFT_TOKEN')).toBe(false)
    expect(env.get('TURBOLIFT_TIMEOUT_MS')).toBe('5000')
    const { name } = toRunSecret({ run, owner }, secret).metadata ?? {}
    expect(pod?.volumes).toContainEqual({ name: 'access', secret: { secretName: name, defaultMode: 0o444 } })
  })

  test("Secrets of the user are named, never read, and a variable of the user does not replace the workers' own", () => {
    const { container, env } = toWorker({ secrets: ['db'], env: { NODE_ENV: 'test', TURBOLIFT_TOKEN_FILE: '/evil' } })
    expect(container?.envFrom).toEqual([{ secretRef: { name: 'db' } }])
    // Of two with the same name Kubernetes takes the last, as a Map does.
    expect(env.get('TURBOLIFT_TOKEN_FILE')).toBe('/var/run/turbolift/token')
    expect(env.get('NODE_ENV')).toBe('test')
  })

  test('workers speak TLS, but for those behind an ingress, and are probed as they speak', () => {
    const { env, container } = toWorker()
    expect(env.get('TURBOLIFT_TLS_KEY')).toBe('/var/run/turbolift/tls.key')
    const health = { path: '/health', port: 8080 }
    expect(container?.readinessProbe?.httpGet).toEqual({ ...health, scheme: 'HTTPS' })
    const plain = toWorker({}, { isSecure: false })
    expect(plain.env.has('TURBOLIFT_TLS_KEY')).toBe(false)
    expect(plain.container?.readinessProbe?.httpGet).toEqual({ ...health, scheme: 'HTTP' })
  })
})

describe('the network policy lets through to the workers', () => {
  const ports = [{ port: 8080, protocol: 'TCP' }]
  test.each([
    ['the program', ['10.0.0.7/32'], [{ from: [{ ipBlock: { cidr: '10.0.0.7/32' } }], ports }]],
    ['the node alone, for port-forwards', [], []],
    ['everybody, behind an ingress', 'anywhere' as const, [{ ports }]],
  ])('%s', (_, from, ingress) => {
    const { spec } = toNetworkPolicy({ run, owner }, { from })
    expect(spec).toEqual({
      podSelector: { matchLabels: { 'turbolift.dev/run': run.id, 'turbolift.dev/role': 'worker' } },
      policyTypes: ['Ingress'],
      ingress,
    })
    expect(toWorker().deployment.spec?.template.metadata?.labels).toMatchObject(spec?.podSelector?.matchLabels ?? {})
  })
})

describe('each object', () => {
  const pool = toPool()
  const objects = [
    toRunSecret({ run, owner }, secret),
    toNetworkPolicy({ run, owner }, { from: [] }),
    toWorkerDeployment(pool),
    toService(pool),
    toAutoscaler(pool, { minReplicas: 0, maxReplicas: 4 }),
    toIngress(pool, { host: 'lift.example' }),
  ]

  test('is owned by the anchor, whose removal waits for it', () => {
    const reference = { kind: 'Job', name: run.name, uid: 'uid-1', controller: false, blockOwnerDeletion: true }
    for (const { metadata } of objects) expect(metadata?.ownerReferences).toEqual([expect.objectContaining(reference)])
  })

  test("has the run's labels and the user's, which do not replace the run's", () => {
    const labels = { team: 'blue', 'turbolift.dev/run': run.id, 'app.kubernetes.io/managed-by': 'turbolift' }
    for (const { metadata } of objects) expect(metadata?.labels).toMatchObject(labels)
  })

  test('has a name and label values that the API server takes, whatever the pool is called', () => {
    const named = toPool({}, { pool: `Größe ${'x'.repeat(80)}!` })
    expect(toWorkerDeployment(named).metadata?.name).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/)
    for (const value of Object.values(toSelector(named)))
      expect(value).toMatch(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/)
  })

  test('workers are found by the functions that are called there', () => {
    const labels = {
      'function.turbolift.dev/square': 'src-main.ts',
      'function.turbolift.dev/jobs.-run': 'src-Gr--e-und-mehr.ts',
    }
    const { metadata, spec } = toWorkerDeployment(pool)
    expect(metadata?.labels).toMatchObject(labels)
    expect(spec?.template.metadata?.labels).toMatchObject(labels)
    const many = toPool({}, { functions: Array.from({ length: 1000 }, (_, index) => `src/main.ts#f${index}`) })
    expect(Object.keys(toWorkerDeployment(many).metadata?.labels ?? {}).length).toBeLessThan(100)
  })

  test('that selects workers selects those of the pool', () => {
    const { spec } = toWorkerDeployment(pool)
    expect(spec?.selector.matchLabels).toEqual(toSelector(pool))
    expect(toService(pool).spec?.selector).toEqual(toSelector(pool))
    expect(spec?.template.metadata?.labels).toMatchObject(toSelector(pool))
  })
})

describe('what the user sets', () => {
  test('resources: memory is bounded, the processor only when asked; nothing starts before it is asked for', () => {
    const { container, deployment } = toWorker()
    expect(container?.resources).toEqual({ requests: { cpu: '500m', memory: '512Mi' }, limits: { memory: '512Mi' } })
    expect(deployment.spec?.replicas).toBe(0)
    const { resources } = toWorker({ resources: { cpu: '1', cpuLimit: '2', memory: '1Gi' } }).container ?? {}
    expect(resources).toEqual({ requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '2', memory: '1Gi' } })
  })

  test('is added to what the code needs', () => {
    const affinity = { nodeAffinity: {} }
    const { pod } = toWorker({
      imagePullSecrets: ['mine'],
      nodeSelector: { disk: 'ssd' },
      tolerations: [{ key: 'spot', operator: 'Exists' }],
      affinity,
    })
    expect(pod).toMatchObject({
      imagePullSecrets: [{ name: 'pull' }, { name: 'mine' }],
      nodeSelector: { 'kubernetes.io/arch': 'arm64', disk: 'ssd' },
      affinity,
    })
    expect(pod?.tolerations).toContainEqual({ key: 'spot', operator: 'Exists' })
  })

  test('an HPA keeps one at least: to none only the program scales', () => {
    expect(toAutoscaler(toPool(), { minReplicas: 0, maxReplicas: 4 }).spec).toMatchObject({
      minReplicas: 1,
      maxReplicas: 4,
      scaleTargetRef: { kind: 'Deployment', name: toWorkerDeployment(toPool()).metadata?.name },
    })
  })
})
