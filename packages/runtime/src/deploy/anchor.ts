import { clearTimeout, performance, setTimeout, timeoutSignal } from '@turbolift/worker-base/clock'
import type { V1OwnerReference } from '@kubernetes/client-node'

import { LiftError } from '../errors.ts'
import type { DeployError } from '../errors.ts'
import { isRefusal, isUnreachable } from './client.ts'
import type { KubernetesClient } from './client.ts'
import { anchorSuspended, runExpired, runLeftovers, runRemoved } from './errors.ts'
import type { RunIdentity } from './names.ts'
import { toAnchor, toOwner } from './objects.ts'

/** The cluster sets a Job's start time within milliseconds; only a queueing system holds it back. */
const startTimeoutMs = 5_000
const removalTimeoutMs = 30_000

export interface AnchorOptions {
  readonly client: KubernetesClient
  readonly run: RunIdentity
  /** The cluster removes the run when the program was silent for this long. */
  readonly graceMs: number
  readonly annotations: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** The root of everything that a run has in the cluster. Disposing removes all of it and resolves when it is gone. */
export interface Anchor extends AsyncDisposable {
  readonly owner: V1OwnerReference
  [Symbol.asyncDispose](): Promise<void>
  /** Aborts, with a DeployError as reason, when the run is lost: nothing of it can be relied on any more. */
  readonly lost: AbortSignal
  /** Whether the API server is silent just now. */
  isCutOff(): Promise<boolean>
}

/**
 * Creates the anchor and keeps it alive until it is disposed of.
 * @throws ClusterRequestError for what the cluster refuses; DeployError `ANCHOR_SUSPENDED`
 */
export async function openAnchor(options: AnchorOptions): Promise<Anchor> {
  const { client, run, graceMs, annotations, signal } = options
  // Before the request, which may be repeated for a while: deadlines are counted from the Job's start, which is later.
  const began = performance.now()
  const body = toAnchor({ run, annotations, deadlineSeconds: Math.ceil(graceMs / 1000) })
  // A cluster that does not answer at all is told soon: nothing is lost yet.
  const job = await client.create('Job', body, { signal, timeoutMs: 10_000, patienceMs: 15_000 })
  const owner = toOwner(job.metadata)
  try {
    await untilStarted(client, run, signal)
  } catch (error) {
    await client.remove('Job', run.name, { uid: owner.uid })
    throw error
  }
  return new Heartbeat(options, owner, began)
}

class Heartbeat implements Anchor {
  readonly owner: V1OwnerReference
  readonly lost: AbortSignal
  readonly #options: AnchorOptions
  readonly #loss = new AbortController()
  readonly #ended = new AbortController()
  readonly #began: number
  /** When the last patch was sent that the cluster took. */
  #alive: number
  /** Why the last patch failed, if it did. */
  #failure: unknown
  #timer: NodeJS.Timeout | undefined

  constructor(options: AnchorOptions, owner: V1OwnerReference, began: number) {
    this.owner = owner
    this.lost = this.#loss.signal
    this.#options = options
    this.#began = began
    this.#alive = performance.now()
    this.#schedule()
  }

  async isCutOff(): Promise<boolean> {
    const { client, run } = this.#options
    try {
      await client.read('Job', run.name, { signal: this.#ended.signal, timeoutMs: 5_000, patienceMs: 5_000 })
      return false
    } catch (error) {
      return isUnreachable(error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended.signal.aborted) return
    clearTimeout(this.#timer)
    this.#ended.abort(new Error('The run ends.'))
    // The cluster is removing it already.
    if (this.lost.aborted) return
    await removeAnchor(this.#options.client, this.#options.run, this.owner.uid)
  }

  // Unreferenced: a program that has nothing left to do ends, and with it the run.
  #schedule(): void {
    this.#timer = setTimeout(() => void this.#beat(), this.#options.graceMs / 4)
    this.#timer.unref()
  }

  async #beat(): Promise<void> {
    const { client, run, graceMs } = this.#options
    const sent = performance.now()
    // Stopped or asleep for too long: what the cluster did meanwhile must not be mixed with new objects.
    const patienceMs = this.#alive + graceMs - sent
    if (patienceMs <= 0) return this.#lose(runExpired(run.name, sent - this.#alive, this.#failure))
    try {
      const activeDeadlineSeconds = Math.ceil((sent - this.#began + graceMs) / 1000)
      const body = { metadata: { uid: this.owner.uid }, spec: { activeDeadlineSeconds } }
      const timeoutMs = Math.min(10_000, graceMs / 4)
      await client.patch('Job', run.name, body, { patienceMs, timeoutMs, signal: this.#ended.signal })
      this.#alive = sent
      this.#failure = undefined
      this.#schedule()
    } catch (error) {
      if (!this.#ended.signal.aborted) await this.#afterFailure(error)
    }
  }

  async #afterFailure(error: unknown): Promise<void> {
    const { run, graceMs } = this.#options
    const isGone = await this.#isGone(error)
    if (this.#ended.signal.aborted) return
    const silentMs = performance.now() - this.#alive
    // The controller's clock counts in whole seconds, so it may be a little ahead of ours.
    if (isGone)
      return this.#lose(
        silentMs > graceMs / 2 ? runExpired(run.name, silentMs, this.#failure) : runRemoved(run.name, error),
      )
    this.#failure = error
    // Whatever else it is, as long as there is time it may pass.
    if (silentMs < graceMs) this.#schedule()
    else this.#lose(runExpired(run.name, silentMs, error))
  }

  /** Another Job has its name, or the cluster has ended it; policies refuse in the same words, so it is looked at. */
  async #isGone(error: unknown): Promise<boolean> {
    if (isRefusal(error, 'NotFound')) return true
    if (!isRefusal(error, 'Conflict') && !isRefusal(error, 'Invalid')) return false
    const { client, run, graceMs } = this.#options
    try {
      const limits = { timeoutMs: graceMs / 4, patienceMs: graceMs / 4, signal: this.#ended.signal }
      const job = await client.read('Job', run.name, limits)
      const isFailed = job?.status?.conditions?.some(({ type }) => type === 'Failed' || type === 'FailureTarget')
      return job?.metadata?.uid !== this.owner.uid || isFailed === true
    } catch (unknown) {
      // Not to be seen, so that the reason of the failure stands.
      if (unknown instanceof LiftError || this.#ended.signal.aborted) return false
      throw unknown
    }
  }

  #lose(error: DeployError): void {
    this.#loss.abort(error)
  }
}

/**
 * Deletes an anchor and waits until it and everything that it owns is gone.
 * @throws DeployError `RUN_LEFTOVERS` when that takes too long
 */
export async function removeAnchor(
  client: KubernetesClient,
  run: Pick<RunIdentity, 'name'>,
  uid: string | undefined,
): Promise<void> {
  const signal = timeoutSignal(removalTimeoutMs)
  try {
    await client.remove('Job', run.name, {
      propagation: 'Foreground',
      uid,
      signal,
      timeoutMs: 5_000,
      patienceMs: 10_000,
    })
    for await (const event of client.watch('Job', { fieldSelector: `metadata.name=${run.name}`, signal })) {
      if (event.type === 'DELETED') return
      if (event.type === 'SYNCED' && (await client.read('Job', run.name, { signal })) === undefined) return
    }
  } catch (error) {
    throw runLeftovers(run.name, client.namespace, error)
  }
}

async function untilStarted(client: KubernetesClient, run: RunIdentity, signal: AbortSignal): Promise<void> {
  const timeout = timeoutSignal(startTimeoutMs)
  const watching = { fieldSelector: `metadata.name=${run.name}`, signal: AbortSignal.any([signal, timeout]) }
  try {
    for await (const event of client.watch('Job', watching)) {
      if (event.type !== 'SYNCED' && event.object.status?.startTime !== undefined) return
    }
  } catch (error) {
    signal.throwIfAborted()
    if (timeout.aborted) throw anchorSuspended(run.name)
    throw error
  }
}
