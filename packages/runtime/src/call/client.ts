import type { Duplex } from 'node:stream'

import { clearInterval, performance, setInterval } from '@turbolift/worker-base/clock'
import {
  createFrameDecoder,
  createFrameWriter,
  decodeError,
  encodeError,
  onSharedGone,
  parseMessage,
} from '@turbolift/worker-base/wire'
import type {
  Frame,
  FrameDecoder,
  FrameWriter,
  Hello,
  Log,
  Message,
  SharedValue,
  StreamEvent,
  WorkerMessage,
} from '@turbolift/worker-base/wire'

import { workerFailed, workerLingers, workerSilent, workerUnreachable } from '../deploy/worker-errors.ts'
import type { LiftError } from '../errors.ts'
import { answerUnreadable } from './errors.ts'
import { Pace } from './pace.ts'
import type { CallHost, PartMessage, Task } from './task.ts'

/** Pings without any answer after which a worker counts as lost. */
const MOST_MISSED = 3
/** A frame that grows by less between two pings counts as silence: it might never be whole. */
const LEAST_BYTES = 1024
/** A worker that is about to end, and has no calls of this program, gets this long. */
const DRAIN_MS = 30_000
/** Above this, calls wait in the program instead of in the socket's buffer. */
const MOST_UNSENT_BYTES = 16 * 1024 * 1024
/** A cancelled call may end by itself in this time; then its executor is ended. */
const CANCEL_GRACE_MS = 2_000
const NO_LIMIT_MS = 2 ** 32 - 1

/** What ends a call. */
export type AnswerMessage = Extract<WorkerMessage, { readonly kind: 'result' | 'error' | 'end' | 'lost' }>

/** What one connection tells its dispatcher. */
export interface ClientEvents {
  /** The worker's first message. */
  onReady(client: WorkerClient, hello: Hello): void
  /** A call was answered. The task has left `inFlight`. */
  onAnswer(task: Task, message: AnswerMessage): void
  /** All messages that arrived together are handled, or what was unsent is sent: there may be room for more calls. */
  onRoom(client: WorkerClient): void
  onLog(client: WorkerClient, log: Log): void
  /** The worker takes no more calls. */
  onDraining(client: WorkerClient): void
  /** The connection is of no use any more; `inFlight` holds the calls that have no answer. */
  onLost(client: WorkerClient, error: LiftError): void
}

export interface ClientOptions {
  readonly workerId: string
  /** A stream on which the handshake is done. */
  readonly stream: Duplex
  readonly events: ClientEvents
  readonly pingMs: number
}

/** One multiplexed connection to one worker. It is of use from `onReady` on. */
export class WorkerClient implements CallHost {
  readonly workerId: string
  /** Unanswered calls by call id, oldest first. */
  readonly inFlight: Map<number, Task> = new Map()
  readonly pace: Pace = new Pace()
  /** Calls that the worker runs at a time; 0 before it said hello. */
  slots = 0
  /** When the last call was answered. */
  idleSinceMs: number = performance.now()
  /** A call that has this worker for itself runs. */
  isExclusive = false
  isDraining = false
  readonly #stream: Duplex
  readonly #events: ClientEvents
  readonly #writer: FrameWriter
  readonly #decoder: FrameDecoder = createFrameDecoder({ onFrame: (frame) => this.#onFrame(frame) })
  readonly #pinger: NodeJS.Timeout
  /** Keys of the values that this worker has. */
  readonly #shared: Set<string> = new Set()
  #endSharing: (() => void) | undefined
  #answers = 0
  /** Its waiting calls were recalled: it gets no others before it has answered one. */
  #isStuck = false
  #lastCallId = 0
  #isClosed = false
  #missedPongs = 0
  /** Since the last ping. */
  #heardBytes = 0
  #drainingSinceMs: number | undefined

  constructor({ workerId, stream, events, pingMs }: ClientOptions) {
    this.workerId = workerId
    this.#stream = stream
    this.#events = events
    this.#writer = createFrameWriter(stream)
    this.#pinger = setInterval(() => this.#ping(pingMs), pingMs).unref()
    stream.on('error', (cause) => this.#lose(workerUnreachable(workerId, cause)))
    stream.on('close', () => this.#lose(workerUnreachable(workerId, undefined)))
    stream.on('drain', () => this.#events.onRoom(this))
    stream.on('data', (chunk: Buffer) => this.#onData(chunk))
    stream.resume()
  }

  /** How many more calls may be sent now. */
  get room(): number {
    const isUsable = !this.#isClosed && !this.isDraining && !this.isExclusive
    if (this.#isStuck) return 0
    if (!isUsable || this.#writer.pendingBytes > MOST_UNSENT_BYTES) return 0
    return this.slots + this.pace.ahead - this.inFlight.size
  }

  /** @throws FrameError `FRAME_TOO_LARGE`: nothing was sent */
  send(task: Task, defaultTimeoutMs: number): void {
    if (this.inFlight.size === 0) this.pace.start(performance.now())
    this.#lastCallId = (this.#lastCallId + 1) >>> 0 || 1
    const id = this.#lastCallId
    this.#share(task.request.value.shared)
    const { liftId, captures, timeoutMs = defaultTimeoutMs, results, value } = task.request
    const carrier = task.report?.filledCarrier
    this.#writer.send({ kind: 'call', id, liftId, captures, attempt: task.attempt, timeoutMs, carrier, results, value })
    task.host = this
    task.callId = id
    task.isRecalled = false
    this.inFlight.set(id, task)
  }

  // What calls have in common goes in front of the first of them.
  #share(values: readonly SharedValue[] = []): void {
    for (const { key, value } of values) {
      if (this.#shared.has(key)) continue
      this.#endSharing ??= onSharedGone((gone) => this.#unshare(gone))
      this.#writer.send({ kind: 'share', id: 0, key, value })
      this.#shared.add(key)
    }
  }

  #unshare(key: string): void {
    if (this.#shared.delete(key)) this.#post({ kind: 'unshare', id: 0, key })
  }

  /** Aborts the call over there. Its answer is still to come, and it keeps its place until then. */
  cancel(task: Task, reason: unknown): void {
    // What only aborts a signal of the function's own may take as long as the function likes.
    const graceMs = task.aborted === undefined ? CANCEL_GRACE_MS : NO_LIMIT_MS
    this.#post({ kind: 'cancel', id: task.callId, graceMs, value: encodeError(reason) })
  }

  /**
   * Asks for calls that have waited here for long behind a slow one, so that others can run them. They come back as
   * answers that say so; what has begun meanwhile goes on.
   */
  recallWaiting(nowMs: number): void {
    if (this.inFlight.size <= this.slots || !this.pace.isStuck(nowMs)) return
    this.#isStuck = true
    let index = 0
    for (const [id, task] of this.inFlight) {
      index += 1
      if (index <= this.slots || task.isRecalled) continue
      task.isRecalled = true
      this.#post({ kind: 'recall', id })
    }
  }

  /** Lets a streaming call send this many items more. */
  allow(task: Task, items: number): void {
    this.#post({ kind: 'credit', id: task.callId, items })
  }

  /** Ends a streaming call early. */
  endStream(task: Task): void {
    this.#post({ kind: 'return', id: task.callId })
  }

  sendStreamEvent(task: Task, event: StreamEvent): void {
    this.#post({ kind: 'stream', id: task.callId, ...event })
  }

  whenDrained(): Promise<void> {
    return this.#writer.whenDrained()
  }

  /** Ends the connection without a word to the events. */
  close(): void {
    this.#isClosed = true
    clearInterval(this.#pinger)
    this.#endSharing?.()
    this.#stream.destroy()
  }

  #post(message: Message): void {
    if (!this.#isClosed) this.#writer.send(message)
  }

  #onData(chunk: Buffer): void {
    this.#heardBytes += chunk.length
    try {
      this.#decoder.push(chunk)
    } catch (cause) {
      this.#lose(workerUnreachable(this.workerId, cause))
      return
    }
    if (this.#answers > 0) this.#recordPace()
    this.#events.onRoom(this)
  }

  #recordPace(): void {
    this.#isStuck = false
    const nowMs = performance.now()
    this.pace.record({ answers: this.#answers, slots: this.slots, nowMs })
    this.idleSinceMs = nowMs
    this.#answers = 0
  }

  #onFrame(frame: Frame): void {
    this.#missedPongs = 0
    const message = parseMessage(frame)
    switch (message.kind) {
      case 'result':
      case 'error':
      case 'end':
      case 'lost':
        return this.#onAnswer(message)
      case 'item':
      case 'opened':
      case 'outcome':
      case 'stream':
        return this.#onPart(message)
      case 'hello':
        this.slots = message.hello.slots
        return this.#events.onReady(this, message.hello)
      case 'log':
        return this.#events.onLog(this, message.log)
      case 'ping':
        return this.#post({ kind: 'pong', id: message.id })
      case 'draining':
        this.isDraining = true
        this.#drainingSinceMs ??= performance.now()
        return this.#events.onDraining(this)
      case 'failed':
        return this.#lose(workerFailed(this.workerId, decodeError(message.value)))
      default:
        // `pong` is an answer by its arrival; the others are only sent by programs.
        return undefined
    }
  }

  #onAnswer(message: AnswerMessage): void {
    const task = this.inFlight.get(message.id)
    if (task === undefined) return
    this.inFlight.delete(message.id)
    this.isExclusive = false
    if (message.kind !== 'lost' || message.lost.started) this.#answers += 1
    task.host = undefined
    try {
      this.#events.onAnswer(task, message)
    } catch (cause) {
      task.reject(answerUnreadable(task.request.name, cause))
    }
  }

  /** What cannot be read of a call ends this call, and no other. */
  #onPart(message: PartMessage): void {
    const task = this.inFlight.get(message.id)
    if (task === undefined) return
    try {
      task.onPart(message)
    } catch (cause) {
      const error = answerUnreadable(task.request.name, cause)
      task.reject(error)
      this.cancel(task, error)
    }
  }

  // A program that was busy for long finds one late tick and the pongs behind it: only silence over several ticks counts.
  #ping(pingMs: number): void {
    this.#missedPongs = this.#heardBytes < LEAST_BYTES ? this.#missedPongs + 1 : 0
    this.#heardBytes = 0
    if (this.#missedPongs > MOST_MISSED) this.#lose(workerSilent(this.workerId, MOST_MISSED * pingMs))
    else if (this.#lingers()) this.#lose(workerLingers(this.workerId, DRAIN_MS))
    else this.#post({ kind: 'ping', id: 0 })
  }

  /** It said that it ends, has answered all calls, and is still there: it keeps the place of one that would work. */
  #lingers(): boolean {
    if (this.#drainingSinceMs === undefined || this.inFlight.size > 0) return false
    return performance.now() > Math.max(this.#drainingSinceMs, this.idleSinceMs) + DRAIN_MS
  }

  #lose(error: LiftError): void {
    if (this.#isClosed) return
    this.close()
    this.#events.onLost(this, error)
  }
}
