import { clearTimeout, setTimeout } from '@turbolift/worker-base/clock'
import { CallStreams } from '@turbolift/worker-base/wire'
import type { OutcomeMessage, ResultForm, StreamEvent, WireValue, WorkerMessage } from '@turbolift/worker-base/wire'

import type { CallReport } from '../watch/call-report.ts'
import type { AnswerMessage } from './client.ts'
import type { KeepAlive } from './keep-alive.ts'
import { retryDelayMs } from './retry.ts'
import type { RetryOptions } from './retry.ts'

/** What one call is, before it is sent. */
export interface CallRequest {
  readonly liftId: string
  /** How many of the leading values are captures. */
  readonly captures: number
  /** Captures and arguments, encoded when the call was made: later changes of the originals do not show. */
  readonly value: WireValue
  readonly results: ResultForm
  /** `undefined`: what the pool says. 0: no limit. */
  readonly timeoutMs: number | undefined
  readonly signal: AbortSignal | undefined
  readonly retry: RetryOptions
  /** The map that makes the call. */
  readonly mapId: number | undefined
  /** For error messages: the function's name. */
  readonly name: string
}

/** Who waits for a call. */
export interface CallSink {
  resolve(value: WireValue): void
  reject(error: unknown): void
  /** A value of a streaming call; absent for plain calls. */
  readonly onItem?: (value: WireValue) => void
  /** With `onItem`: how many items may come before the caller took any. */
  readonly window?: number
  /** The result, which holds streams; in place of `resolve`. */
  onOpened?(value: WireValue, streams: CallStreams): void
  /** Of a batch: one of its calls has ended otherwise than most. */
  onOutcome?(outcome: OutcomeMessage): void
  /** Of a batch: its worker is gone, or ended it. In place of `reject`: its calls are tried again one by one. */
  onBroken?(): void
}

/** Where a call runs. */
export interface CallHost {
  /** Aborts the call over there. Its answer is still to come. */
  cancel(task: Task, reason: unknown): void
  /** Lets a streaming call send this many items more. */
  allow(task: Task, items: number): void
  /** Ends a streaming call early. */
  endStream(task: Task): void
  /** Tells the other side of a stream among the arguments or in the result. */
  sendStreamEvent(task: Task, event: StreamEvent): void
  /** Resolves when what was sent has left, as far as it has to. */
  whenDrained(): Promise<void>
}

/** What takes calls. */
export interface Calls {
  /** Whether anybody waits for a call. */
  readonly isBusy: boolean
  /** How many calls at a time keep all workers busy, those that may still be started included. */
  readonly appetite: number
  /** Where many calls can be taken as one. */
  readonly batches?: Batches | undefined
  /** Takes a call. The sink may hear of a refusal before this returns. */
  submit(request: CallRequest, sink: CallSink): Task
  /** Ends a call early: its caller hears `reason` at once, its worker is told to stop. */
  cancel(task: Task, reason: unknown): void
  /** Aborts the signals among a call's arguments: the function decides how the call ends. */
  abort(task: Task, reason: unknown): void
}

/** What takes batches of calls. */
export interface Batches extends Pick<Calls, 'submit' | 'cancel'> {
  /** How many run at a time. */
  readonly slots: number
  /** Takes a call whose first try was made as part of a batch, and ended like this. */
  resume(request: CallRequest, sink: CallSink, answer: AnswerMessage): Task
}

/** What comes of a call before its end. */
export type PartMessage = Extract<WorkerMessage, { readonly kind: 'item' | 'opened' | 'outcome' | 'stream' }>

const NOBODY: CallSink = { resolve: () => undefined, reject: () => undefined }

/** Who has taken a call. */
export interface TaskOwner {
  onSettled(task: Task): void
}

/** One call from the time it is made until it is settled. Retries are the same task. */
export class Task {
  readonly request: CallRequest
  sink: CallSink
  /** Tries that were lost after their user code had begun, or may have. */
  attempts = 0
  /** Tries that failed by what the function threw, or by the time that it took. */
  failures = 0
  /** Connections that broke while this call was running behind them, those of `losses` included. */
  breaks = 0
  /** Workers that went away while this call was running there. */
  losses = 0
  isSettled = false
  /** Where it runs, under which id; `undefined` while it waits. */
  host: CallHost | undefined = undefined
  callId = 0
  /** A signal among its arguments was aborted: the function is told, and the call ends when it does. */
  aborted: { readonly reason: unknown } | undefined = undefined
  /** Its worker was asked to give it back. */
  isRecalled = false
  /** Part of a stream was read: the call is not tried again. */
  isConsumed = false
  /** Its caller has the result, whose streams go on. */
  isOpened = false
  /** Tells listeners how it goes; `undefined` when there are none. */
  readonly report: CallReport | undefined
  /** It waits in a queue of its owner's. */
  isQueued = false
  /** Hears once that the call is settled. */
  owner: TaskOwner | undefined = undefined
  /** Ends the watching of its signals. */
  unwatch: (() => void) | undefined = undefined
  /** Held while somebody waits for it, and later for its streams. */
  keepAlive: Pick<KeepAlive, 'hold' | 'release'> | undefined = undefined
  #streams: CallStreams | undefined
  #pause: NodeJS.Timeout | undefined
  #isAwaited = false

  constructor(request: CallRequest, sink: CallSink, report?: CallReport) {
    this.request = request
    this.sink = sink
    this.report = report
    if (request.value.streams !== undefined) void this.#openStreams().send(request.value.streams)
  }

  /** 1 for the first try. */
  get attempt(): number {
    return this.attempts + this.failures + 1
  }

  /** Whether its caller waits now: then the program does not end. */
  get isAwaited(): boolean {
    return this.#isAwaited
  }

  set isAwaited(isAwaited: boolean) {
    if (this.#isAwaited === isAwaited) return
    this.#isAwaited = isAwaited
    if (isAwaited) this.keepAlive?.hold()
    else this.keepAlive?.release()
  }

  /** @throws where the message cannot be read */
  onPart(message: PartMessage): void {
    if (this.isSettled) return
    switch (message.kind) {
      case 'item':
        this.isConsumed = true
        return this.sink.onItem?.(message.value)
      case 'opened':
        return this.#open(message.value)
      case 'outcome':
        return this.sink.onOutcome?.(message)
      case 'stream':
        if (message.event === 'credit') this.isConsumed = true
        return this.#streams?.receive(message)
    }
  }

  /** The result is there, and holds streams. */
  #open(value: WireValue): void {
    if (this.isOpened) return
    this.isConsumed = true
    this.isOpened = true
    this.isAwaited = false
    const { sink } = this
    // It leads to the promise of the result, and so to its streams: they are to go when the program drops them.
    this.sink = NOBODY
    sink.onOpened?.(value, this.#openStreams())
  }

  resolve(value: WireValue): void {
    if (this.isSettled) return
    this.#settle()
    this.#streams?.close(new Error('The call is over.'))
    this.report?.finish(value)
    if (!this.isOpened) this.sink.resolve(value)
  }

  /** A batch that comes to nothing: others take its calls over. */
  break(): void {
    if (this.isSettled) return
    this.#settle()
    this.sink.onBroken?.()
  }

  reject(error: unknown): void {
    if (this.isSettled) return
    this.#settle()
    this.#streams?.close(error)
    this.report?.fail(error)
    if (!this.isOpened) this.sink.reject(error)
  }

  /** A try failed: after a pause `again` begins the next one, where the options and the error allow it. */
  fail(error: unknown, again: () => void): void {
    if (this.isSettled) return
    const isFinal = this.aborted !== undefined || this.isConsumed
    const tried = this.failures + 1
    const delayMs = isFinal
      ? undefined
      : retryDelayMs(error, { options: this.request.retry, tried, random: Math.random() })
    if (delayMs === undefined) return this.reject(error)
    this.failures = tried
    this.report?.retry(error)
    // As part of a call that is pending: the program does not end meanwhile.
    this.#pause = setTimeout(again, delayMs)
  }

  #settle(): void {
    this.isSettled = true
    clearTimeout(this.#pause)
    this.isAwaited = false
    this.unwatch?.()
    this.owner?.onSettled(this)
  }

  #openStreams(): CallStreams {
    this.#streams ??= new CallStreams({
      post: (event) => this.host?.sendStreamEvent(this, event),
      whenDrained: async () => this.host?.whenDrained(),
      onWaiting: (isWaiting) => (isWaiting ? this.keepAlive?.hold() : this.keepAlive?.release()),
    })
    return this.#streams
  }
}
