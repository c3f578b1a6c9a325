import type { Duplex } from 'node:stream'

import { clearInterval, performance, setInterval } from '@turbolift/worker-base/clock'
import type { V1Deployment, V1Pod } from '@kubernetes/client-node'

import { LiftError } from '../errors.ts'
import { events as runEvents } from '../watch/events.ts'
import { toDeployFailure } from './errors.ts'
import { connectWhenListening } from './knock.ts'
import { toSelector } from './objects.ts'
import type { PoolObjects } from './objects.ts'
import type { DeploymentEvents, WorkerAddress } from './platform.ts'
import { notReplaced, readyTimeout } from './pod-errors.ts'
import {
  isScaleUp,
  scaleUpPatienceMs,
  toDeploymentFailure,
  toEndReason,
  toEventFailure,
  toIncarnation,
  toPodState,
} from './readiness.ts'
import type { PodState } from './readiness.ts'
import type { ClusterRun } from './run.ts'

const checkMs = 1_000
/** A pod that gets no further for this long is looked at more closely: some reasons are only told by events. */
const eventsAfterMs = 8_000

export interface PoolWatchOptions {
  readonly run: ClusterRun
  readonly objects: PoolObjects
  /** Name of the Deployment. */
  readonly name: string
  readonly events: DeploymentEvents
  readonly startTimeoutMs: number
  /** Behind an ingress. */
  readonly route: WorkerAddress['route']
  readonly signal: AbortSignal
}

interface Seen {
  /** The worker: another one when the pod's container was started again. */
  readonly id: string
  readonly state: PodState
  /** Since when it has been in a state of this kind. */
  readonly sinceMs: number
}

type Alive = Extract<PodState, { readonly kind: 'running' | 'ready' }>

/** Follows the pods of a pool: tells which workers come and go, and when none can come, why. */
export class PoolWatch {
  readonly #options: PoolWatchOptions
  readonly #pods: Map<string, Seen> = new Map()
  readonly #ready: Map<string, string> = new Map()
  readonly #knocking: Map<string, AbortController> = new Map()
  #refused: { readonly error: LiftError; readonly afterMs: number; readonly sinceMs: number } | undefined
  /** Why the last worker went away, until there is another. */
  #loss: LiftError | undefined
  #expected = 0
  #waitingSinceMs = 0
  #timer: NodeJS.Timeout | undefined
  #isChecking = false

  constructor(options: PoolWatchOptions) {
    this.#options = options
    void this.#follow(this.#followPods())
    void this.#follow(this.#followDeployment())
    options.signal.addEventListener('abort', () => clearInterval(this.#timer), { once: true })
  }

  /** So many workers were asked for; from the first on they have to come up in time. */
  expect(replicas: number): void {
    if (this.#expected === 0 && replicas > 0) this.#waitingSinceMs = performance.now()
    this.#expected = replicas
    if (replicas === 0) clearInterval(this.#timer)
    else if (this.#ready.size === 0) this.#startChecks()
  }

  async #follow(following: Promise<void>): Promise<void> {
    try {
      await following
    } catch (error) {
      if (!this.#options.signal.aborted) this.#options.events.onFailed(toDeployFailure(error))
    }
  }

  async #followPods(): Promise<void> {
    const { run, objects, signal } = this.#options
    const labelSelector = Object.entries(toSelector(objects))
      .map((pair) => pair.join('='))
      .join(',')
    for await (const event of run.client.watch('Pod', { labelSelector, signal })) {
      if (event.type === 'DELETED') this.#onDeleted(event.object)
      else if (event.type !== 'SYNCED') this.#onPod(event.object)
    }
  }

  async #followDeployment(): Promise<void> {
    const { run, name, signal } = this.#options
    for await (const event of run.client.watch('Deployment', { fieldSelector: `metadata.name=${name}`, signal })) {
      if (event.type === 'ADDED' || event.type === 'MODIFIED') this.#onDeployment(event.object)
    }
  }

  #onDeployment(deployment: V1Deployment): void {
    const failure = toDeploymentFailure(deployment)
    const sinceMs = this.#refused?.sinceMs ?? performance.now()
    this.#refused = failure === undefined ? undefined : { ...failure, sinceMs }
  }

  #onPod(pod: V1Pod): void {
    const name = pod.metadata?.name ?? ''
    const state = toPodState(pod)
    const id = toIncarnation(pod)
    const before = this.#pods.get(name)
    const sinceMs = before?.state.kind === state.kind ? before.sinceMs : performance.now()
    this.#pods.set(name, { id, state, sinceMs })
    if (before?.id !== id && state.kind !== 'ended') {
      if (before !== undefined) this.#giveUp(name, before, pod)
      runEvents['worker:started'].emit({ workerId: id, pool: this.#options.objects.pool })
    }
    const known = this.#ready.get(name)
    if (known !== undefined && (state.kind === 'ended' || id !== known)) this.#lose(name, toEndReason(pod))
    if (state.kind !== 'running') this.#stopKnocking(name)
    if (state.kind === 'ready' && !this.#ready.has(name)) this.#welcome(name, state, undefined)
    if (state.kind === 'running' && !this.#ready.has(name)) void this.#knock(name, state)
    if (state.kind === 'failing' && state.afterMs === 0) void this.#check()
  }

  #onDeleted(pod: V1Pod): void {
    const name = pod.metadata?.name ?? ''
    const before = this.#pods.get(name)
    if (before !== undefined && before.state.kind !== 'ended') this.#giveUp(name, before, pod)
    this.#pods.delete(name)
    this.#stopKnocking(name)
    this.#lose(name, toEndReason(pod))
  }

  async #knock(pod: string, state: Alive): Promise<void> {
    const { run, route, signal } = this.#options
    // Behind an ingress another worker might answer.
    if (this.#knocking.has(pod) || route !== undefined) return
    const stop = new AbortController()
    this.#knocking.set(pod, stop)
    try {
      const target = { name: pod, address: state.address, isReady: false }
      const connection = await connectWhenListening(run.routes, target, AbortSignal.any([signal, stop.signal]))
      if (stop.signal.aborted || this.#ready.has(pod)) connection.destroy()
      else this.#welcome(pod, state, connection)
    } catch (error) {
      if (!stop.signal.aborted && !signal.aborted) throw error
    } finally {
      this.#stopKnocking(pod)
    }
  }

  #stopKnocking(pod: string): void {
    this.#knocking.get(pod)?.abort(new Error('The pod is in another state.'))
    this.#knocking.delete(pod)
  }

  #welcome(pod: string, { id, address }: Alive, connection: Duplex | undefined): void {
    const { run, events, route } = this.#options
    this.#ready.set(pod, id)
    this.#loss = undefined
    clearInterval(this.#timer)
    const target = { name: pod, address, isReady: true }
    let first = connection
    events.onWorker({
      id,
      token: run.token,
      ...(route === undefined ? {} : { route }),
      dial: async (options) => {
        const open = first?.destroyed === false ? first : undefined
        first = undefined
        return open ?? run.routes.dial(target, options)
      },
      isCutOff: () => run.anchor.isCutOff(),
    })
  }

  /** One that never took calls is gone. */
  #giveUp(name: string, { id }: Seen, pod: V1Pod): void {
    if (this.#ready.has(name)) return
    const reason = toEndReason(pod)
    this.#loss ??= reason
    this.#options.events.onWorkerGone(id, reason)
  }

  #lose(pod: string, reason: LiftError | undefined): void {
    const id = this.#ready.get(pod)
    if (id === undefined) return
    this.#ready.delete(pod)
    this.#loss = reason
    this.#options.events.onWorkerGone(id, reason)
    if (this.#ready.size > 0 || this.#expected === 0) return
    this.#waitingSinceMs = performance.now()
    this.#startChecks()
  }

  // Unreferenced: pending calls keep the program alive while workers come up.
  #startChecks(): void {
    clearInterval(this.#timer)
    this.#timer = setInterval(() => void this.#check(), checkMs)
    this.#timer.unref()
  }

  /** As long as one worker is ready the pool works; when none is, what stands in the way has to pass in its time. */
  async #check(): Promise<void> {
    if (this.#isChecking || this.#ready.size > 0 || this.#expected === 0) return
    this.#isChecking = true
    try {
      const error = this.#refusal() ?? (await this.#podFailure()) ?? this.#timeout()
      if (error === undefined || this.#ready.size > 0) return
      clearInterval(this.#timer)
      this.#options.events.onFailed(notReplaced(error, this.#loss))
    } catch (error) {
      // Events could not be read just now; the next check comes soon.
      if (!(error instanceof LiftError) && !this.#options.signal.aborted) throw error
    } finally {
      this.#isChecking = false
    }
  }

  #refusal(): LiftError | undefined {
    if (this.#refused === undefined) return undefined
    // A quota also counts the worker that is just going: only from then on there may be room for another.
    const { error, afterMs, sinceMs } = this.#refused
    return performance.now() - Math.max(sinceMs, this.#waitingSinceMs) >= afterMs ? error : undefined
  }

  async #podFailure(): Promise<LiftError | undefined> {
    for (const [name, { state, sinceMs }] of this.#pods) {
      const forMs = performance.now() - sinceMs
      if (state.kind === 'failing' && forMs >= state.afterMs) {
        if (state.error.code !== 'POD_UNSCHEDULABLE' || forMs >= scaleUpPatienceMs || !(await this.#isScaleUp(name)))
          return state.error
      }
      if (state.kind === 'starting' && forMs >= eventsAfterMs) {
        const failure = (await this.#listEvents(name))
          .map((event) => toEventFailure(name, event))
          .find((error) => error !== undefined)
        if (failure !== undefined) return failure
      }
    }
    return undefined
  }

  async #isScaleUp(pod: string): Promise<boolean> {
    return (await this.#listEvents(pod)).some(isScaleUp)
  }

  #listEvents(pod: string) {
    const { run, signal } = this.#options
    return run.client.list('Event', {
      fieldSelector: `involvedObject.kind=Pod,involvedObject.name=${pod}`,
      signal,
      patienceMs: 5_000,
    })
  }

  #timeout(): LiftError | undefined {
    const { startTimeoutMs } = this.#options
    if (performance.now() - this.#waitingSinceMs < startTimeoutMs) return undefined
    const failing = [...this.#pods.values()].map(({ state }) => state).find((state) => state.kind === 'failing')
    if (failing !== undefined) return failing.error
    const states = [...this.#pods].map(([name, { state }]) => `${name} ${toText(state)}`)
    return readyTimeout(startTimeoutMs / 1000, states.join('; ') || 'no pod at all')
  }
}

function toText(state: PodState): string {
  if (state.kind === 'starting') return `is starting (${state.reason})`
  if (state.kind === 'running') return 'is running, but does not listen'
  return state.kind === 'failing' ? `is failing (${state.error.code})` : state.kind
}
