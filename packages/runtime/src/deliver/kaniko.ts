import { clearTimeout, delay, setTimeout } from '@turbolift/worker-base/clock'
import type { V1Pod } from '@kubernetes/client-node'

import { ClusterRequestError } from '../deploy/client.ts'
import { LiftError } from '../errors.ts'
import {
  type BuildEnd,
  buildInterrupted,
  buildTimedOut,
  digestMissing,
  refusedBuildPod,
  toBuildEnd,
  toBuildError,
  toMountError,
  toStuckError,
} from './build-failure.ts'
import { BuildLog } from './build-log.ts'
import { type BuildPodRequest, DEFAULT_BUILD_TIMEOUT_MS, toBuildPod } from './build-pod.ts'
import type { DeliveryScope } from './delivery.ts'

export interface KanikoRequest extends Omit<BuildPodRequest, 'scope'> {
  readonly scope: DeliveryScope
  /** Gzip of the context's archive. */
  readonly context: Buffer
  /** Told each line of the build's log as it is written. */
  readonly onLog: ((line: string) => void) | undefined
  readonly signal: AbortSignal
}

const MAX_ATTEMPTS = 3
const POD_END_PATIENCE_MS = 5000
const PASSING: ReadonlySet<string> = new Set(['BUILD_EVICTED', 'BUILD_INTERRUPTED', 'ATTACH_FAILED'])

/**
 * Builds an image in a pod of the cluster and pushes it. What the cluster did to the pod (an eviction, a lost
 * connection) is tried again; what the build itself did is not. The finished pod stays with the run, for its log.
 * @returns the digest of the image's manifest
 * @throws BuildError with the reason; the pod is gone then
 */
export async function buildWithKaniko(request: KanikoRequest): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const name = attempt === 1 ? request.name : `${request.name}-${attempt}`
    try {
      return await buildOnce({ ...request, name })
    } catch (error) {
      await request.scope.client.remove('Pod', name, { namespace: request.scope.namespace, graceSeconds: 0 })
      const isPassing = error instanceof LiftError && PASSING.has(error.code)
      if (!isPassing || attempt === MAX_ATTEMPTS) throw error
    }
  }
}

async function buildOnce(request: KanikoRequest): Promise<string> {
  const timeoutMs = request.options.timeoutMs ?? DEFAULT_BUILD_TIMEOUT_MS
  await createPod(request)
  const deadline = new AbortController()
  // A little after the pod's own deadline, whose reason is the better one.
  const timer = setTimeout(() => deadline.abort(), timeoutMs + 2000)
  try {
    const end = await superviseBuild(request, AbortSignal.any([request.signal, deadline.signal]))
    if (end.exitCode !== 0 || end.reason === 'DeadlineExceeded')
      throw toBuildError(end, await readLog(request), timeoutMs)
    return parseDigest(end.message)
  } catch (error) {
    request.signal.throwIfAborted()
    if (!deadline.signal.aborted) throw error
    throw await explainTimeout(request, timeoutMs)
  } finally {
    clearTimeout(timer)
  }
}

async function createPod(request: KanikoRequest): Promise<void> {
  try {
    await request.scope.client.create('Pod', toBuildPod(request), { signal: request.signal })
  } catch (error) {
    const isRefused = error instanceof ClusterRequestError && [400, 403, 422].includes(error.status.code)
    throw isRefused ? refusedBuildPod(error) : error
  }
}

/** Everything that goes on while the build runs, until the pod has ended, or will never end well. */
async function superviseBuild(request: KanikoRequest, signal: AbortSignal): Promise<BuildEnd> {
  const stop = new AbortController()
  const inner = AbortSignal.any([signal, stop.signal])
  const tasks = [stopOnFailure(watchEvents(request, inner), stop)]
  const { client, namespace } = request.scope
  let pulls = 0
  try {
    for await (const event of client.watch('Pod', { ...toSelector(request), signal: inner })) {
      if (event.type === 'SYNCED') {
        // Somebody may have deleted it before the watch began, which then has nothing to tell.
        if ((await client.read('Pod', request.name, { namespace, signal: inner })) === undefined)
          throw buildInterrupted()
        continue
      }
      if (event.type === 'DELETED') throw buildInterrupted()
      const end = toBuildEnd(event.object)
      if (end !== undefined) return end
      if (isPullFailure(event.object)) pulls += 1
      const stuck = toStuckError(event.object, { pulls })
      if (stuck !== undefined) throw stuck
      if (tasks.length === 1 && isRunning(event.object))
        tasks.push(stopOnFailure(sendContext(request, inner), stop), stopOnFailure(showLog(request, inner), stop))
    }
    throw buildInterrupted()
  } finally {
    stop.abort(new Error('the build is over'))
    await Promise.all(tasks)
  }
}

/** Ends the whole supervision with the task's error; a task that was stopped has none. */
async function stopOnFailure(task: Promise<void>, stop: AbortController): Promise<void> {
  try {
    await task
  } catch (error) {
    stop.abort(error)
  }
}

/** Volumes that cannot be mounted are told by events alone. */
async function watchEvents(request: KanikoRequest, signal: AbortSignal): Promise<void> {
  const { client, namespace } = request.scope
  const fieldSelector = `involvedObject.name=${request.name}`
  for await (const event of client.watch('Event', { namespace, fieldSelector, signal })) {
    const failure = event.type === 'ADDED' ? toMountError(event.object) : undefined
    if (failure !== undefined) throw failure
  }
}

async function sendContext({ scope, name, context }: KanikoRequest, signal: AbortSignal): Promise<void> {
  try {
    await scope.client.writeStdin(name, { container: 'kaniko', stdin: [context], signal, namespace: scope.namespace })
  } catch (error) {
    // A container that died tells more than the connection that it took along.
    await delay(POD_END_PATIENCE_MS, { signal })
    throw error
  }
}

async function showLog({ scope, name, onLog }: KanikoRequest, signal: AbortSignal): Promise<void> {
  if (onLog === undefined) return
  for await (const line of scope.client.followLog(name, { namespace: scope.namespace, signal })) onLog(line)
}

async function readLog({ scope, name, signal }: KanikoRequest): Promise<BuildLog> {
  const log = new BuildLog()
  try {
    log.write(await scope.client.readLog(name, { namespace: scope.namespace, signal }))
  } catch (error) {
    signal.throwIfAborted()
    // The build's own end is the error to report; its log may be gone with the node or an eviction.
    log.write(`(the log is not to be had: ${error instanceof Error ? error.message : String(error)})`)
  }
  log.end()
  return log
}

async function explainTimeout({ scope, name, signal }: KanikoRequest, timeoutMs: number): Promise<LiftError> {
  const { client, namespace } = scope
  const pod = await client.read('Pod', name, { namespace, signal })
  const events = await client.list('Event', { namespace, fieldSelector: `involvedObject.name=${name}`, signal })
  return buildTimedOut(
    pod,
    timeoutMs,
    events.map(({ message }) => message ?? ''),
  )
}

function toSelector({ scope, name }: KanikoRequest): { readonly namespace: string; readonly fieldSelector: string } {
  return { namespace: scope.namespace, fieldSelector: `metadata.name=${name}` }
}

function isRunning(pod: V1Pod): boolean {
  return pod.status?.containerStatuses?.some(({ state }) => state?.running !== undefined) ?? false
}

function isPullFailure(pod: V1Pod): boolean {
  return pod.status?.containerStatuses?.some(({ state }) => state?.waiting?.reason === 'ErrImagePull') ?? false
}

/** Kaniko writes the digest where the kubelet looks for a container's last words. */
function parseDigest(message: string): string {
  const digest = /sha256:[0-9a-f]{64}/.exec(message)?.[0]
  if (digest === undefined) throw digestMissing(message)
  return digest
}
