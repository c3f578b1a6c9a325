import { once } from 'node:events'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'

import { clearTimeout, performance, setTimeout, timeoutSignal } from '@turbolift/worker-base/clock'
import type { V1Deployment, V1Pod } from '@kubernetes/client-node'

import type { DeliveredCode, DeliveryScope } from '../../deliver/delivery.ts'
import { containerSecurity, podSecurity, workerPort } from '../../deploy/objects.ts'
import { toDeploymentFailure, toPodState } from '../../deploy/readiness.ts'
import { LiftError } from '../../errors.ts'
import type { DoctorSite, Verdict } from './check.ts'
import { ok } from './check.ts'

export interface DoctorPod {
  readonly name: string
  readonly address: string
  readonly image: string
  /** Processor of the node, as registries call it. */
  readonly architecture: string
}

const START_TIMEOUT_MS = 120_000
const DIRECT_TIMEOUT_MS = 500
/** Says what processor it runs on, then sends back whatever it gets. */
const program = `console.log(process.arch); require('net').createServer((s) => s.pipe(s)).listen(${workerPort})`

/**
 * Starts what was delivered, and waits for it.
 * @throws LiftError with the reason why it does not start
 */
export async function startPod(scope: DeliveryScope, code: DeliveredCode, signal: AbortSignal): Promise<DoctorPod> {
  const { client } = scope
  const name = `${scope.namePrefix}-probe`
  await client.create('Deployment', toDeployment(name, scope, code), { signal })
  const pod = await waitForPod(scope, name, signal)
  const podName = pod.metadata?.name ?? ''
  const printed = (await client.readLog(podName, { signal })).trim()
  const architecture = printed === 'x64' ? 'amd64' : printed
  return { name: podName, address: pod.status?.podIP ?? '', image: code.image, architecture }
}

/** Both ways to a pod, with the time of one round trip. */
export async function measureRoutes({ client, config, signal }: DoctorSite, pod: DoctorPod): Promise<Verdict> {
  const { reach } = config.kubernetes
  const direct = await measure(() =>
    connectTo(pod.address, AbortSignal.any([signal, timeoutSignal(DIRECT_TIMEOUT_MS)])),
  )
  const forwarded =
    reach === 'direct' ? 'not used' : await measure(() => client.forwardPort(pod.name, workerPort, { signal }))
  const text = `straight to the pod: ${toText(direct)}; by port-forward: ${toText(forwarded)}`
  const works = typeof direct === 'number' || typeof forwarded === 'number'
  if (reach === 'ingress')
    return { state: works ? 'ok' : 'skip', text: `${text}; reach is "ingress", which the doctor does not try` }
  if (works && (reach !== 'direct' || typeof direct === 'number')) return ok(text)
  return {
    state: 'fail',
    text,
    fix: 'Set TURBOLIFT_REACH=port-forward and grant create and get on pods/portforward, or run the program in the cluster.',
  }
}

function toDeployment(name: string, { labels, owner }: DeliveryScope, code: DeliveredCode): V1Deployment {
  const selector = { 'turbolift.dev/probe': name }
  const resources = { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '128Mi' } }
  const container = {
    name: 'worker',
    image: code.image,
    command: ['node', '-e', program],
    resources,
    securityContext: containerSecurity,
    volumeMounts: [...code.volumeMounts],
  }
  const spec = {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 1,
    securityContext: podSecurity,
    containers: [container],
    volumes: [...code.volumes],
    imagePullSecrets: [...code.imagePullSecrets],
    nodeSelector: { ...code.nodeSelector },
  }
  return {
    metadata: { name, labels: { ...labels }, ownerReferences: [owner] },
    spec: {
      replicas: 1,
      selector: { matchLabels: selector },
      template: { metadata: { labels: { ...labels, ...selector } }, spec },
    },
  }
}

async function waitForPod({ client }: DeliveryScope, name: string, signal: AbortSignal): Promise<V1Pod> {
  const stop = new AbortController()
  const inner = AbortSignal.any([signal, stop.signal, timeoutSignal(START_TIMEOUT_MS)])
  const refusal = watchDeployment(name, client, inner).catch((error: unknown) => stop.abort(error))
  let patience: ReturnType<typeof setTimeout> | undefined
  try {
    for await (const event of client.watch('Pod', { labelSelector: `turbolift.dev/probe=${name}`, signal: inner })) {
      if (event.type === 'SYNCED' || event.type === 'DELETED') continue
      const state = toPodState(event.object)
      if (state.kind === 'ready') return event.object
      if (state.kind === 'failing' && state.afterMs === 0) throw state.error
      // A node may not have heard of the Secret for its pull yet, and tries again.
      if (state.kind === 'failing') patience ??= setTimeout(() => stop.abort(state.error), state.afterMs)
      else {
        clearTimeout(patience)
        patience = undefined
      }
      if (state.kind === 'ended' && state.reason !== undefined) throw state.reason
    }
    throw new LiftError('DOCTOR_INTERRUPTED', {
      what: 'The watch on the pod ended.',
      why: 'The cluster closed it.',
      fix: 'Run the doctor again.',
    })
  } finally {
    clearTimeout(patience)
    stop.abort(new Error('done'))
    await refusal
  }
}

async function watchDeployment(name: string, client: DeliveryScope['client'], signal: AbortSignal): Promise<void> {
  for await (const event of client.watch('Deployment', { fieldSelector: `metadata.name=${name}`, signal })) {
    const failure = event.type === 'SYNCED' ? undefined : toDeploymentFailure(event.object)
    if (failure !== undefined) throw failure.error
  }
}

/** Milliseconds of one round trip, or why there was none. */
async function measure(dial: () => Promise<Duplex>): Promise<number | string> {
  try {
    const stream = await dial()
    try {
      await echo(stream)
      const began = performance.now()
      await echo(stream)
      return performance.now() - began
    } finally {
      stream.destroy()
    }
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error)
  }
}

async function echo(stream: Duplex): Promise<void> {
  const answer = once(stream, 'data', { signal: timeoutSignal(5000) })
  stream.write('ping')
  await answer
}

async function connectTo(host: string, signal: AbortSignal): Promise<Duplex> {
  const socket = connect({ host, port: workerPort, signal })
  await once(socket, 'connect', { signal })
  return socket
}

function toText(measured: number | string): string {
  return typeof measured === 'number' ? `${measured.toFixed(1)} ms` : measured
}
