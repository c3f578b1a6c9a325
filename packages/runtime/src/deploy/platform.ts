import type { Duplex } from 'node:stream'

import type { LiftError } from '../errors.ts'
import type { LiftManifest } from '../manifest.ts'

/**
 * One way to run workers. A platform starts and stops workers and says how to dial them;
 * the dispatcher (`call/dispatcher.ts`) decides how many there should be and which call goes where.
 */
export interface Platform extends AsyncDisposable {
  /** The process ends now and waits for nothing: does what can be done synchronously, so that nothing is left. */
  abandon(): void
  /**
   * Makes a pool ready to be scaled. Starts no worker before `scaleTo`.
   * Everything slow (extract, image build) may happen here or at the first `scaleTo`.
   */
  deploy(request: DeployRequest): Promise<Deployment>
}

export interface DeployRequest {
  readonly manifest: LiftManifest
  readonly pool: string
  readonly events: DeploymentEvents
  readonly signal: AbortSignal
}

/** Workers of one pool. Disposing stops them all and resolves when they are gone. */
export interface Deployment extends AsyncDisposable {
  /** Calls that one worker runs at a time. */
  readonly slotsPerWorker: number
  /** Most workers that the platform will run for this pool. */
  readonly maxReplicas: number
  /** Something else decides how many workers there are, as long as there are to be any: an autoscaler. */
  readonly isSizedElsewhere?: boolean
  /**
   * Asks for this many workers; returns at once; workers come and go by events. A worker that dies is replaced as long
   * as it is asked for. `idle` names workers without calls: when there are too many, these are the ones to stop.
   */
  scaleTo(replicas: number, options?: { readonly idle: readonly string[] }): void
  /**
   * This worker answers no more, though it seems to be there: ends it, and another takes its place. Absent where the
   * platform sees that by itself.
   */
  discard?(workerId: string): void
}

/** What a deployment tells its dispatcher. */
export interface DeploymentEvents {
  /** A worker answers its readiness probe and can be dialled. */
  onWorker(worker: WorkerAddress): void
  /** A worker is gone or will be; `reason` says why, where the platform knows (out of memory, eviction). */
  onWorkerGone(workerId: string, reason: LiftError | undefined): void
  /** Fewer workers than were asked for can be had now: this many are there. Who needs more may ask again. */
  onRefused(replicas: number, error: LiftError): void
  /** No worker can come up any more: every waiting call fails with this error. */
  onFailed(error: LiftError): void
}

export interface WorkerAddress {
  readonly id: string
  /** The run's secret, which the worker asks for in the handshake. */
  readonly token: string
  /** Where a proxy stands before the worker: what its request has to say so that it gets there. */
  readonly route?: { readonly host: string; readonly path: string }
  /** Opens the byte stream on which the wire protocol (`@turbolift/worker-base/wire`) is spoken, handshake not yet done. */
  dial(options: { readonly signal: AbortSignal }): Promise<Duplex>
  /** The platform does not answer either, so that a worker which cannot be dialled says nothing of itself. Default: it does. */
  isCutOff?(): Promise<boolean>
}
