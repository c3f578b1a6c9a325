import { clearInterval, performance, setInterval } from '../clock.ts'
import { createCallIds, createClaims, hasStarted, revokeCall } from '../threads/claims.ts'
import type { ExecutorNotice } from '../threads/startup.ts'
import { toFrame } from '../wire/frame-batch.ts'
import { FRAME_TYPE, isAnswer } from '../wire/frame.ts'
import type { Frame } from '../wire/frame.ts'
import { parseMessage, readCallTimeout, readCreditItems } from '../wire/message-codec.ts'
import type { Log } from '../wire/messages.ts'
import type { WireValue } from '../wire/values.ts'
import { UNDEFINED_VALUE, encodeError } from '../wire/values.ts'
import { stopExecutor, toReason, toStrayLog } from './executor-end.ts'
import { startExecutor } from './executor-start.ts'
import type { ExecutorThread, ThreadEnd } from './executor-thread.ts'
import type { PoolOptions } from './options.ts'
import { createPendingCall, movesMemory } from './pending-call.ts'
import type { CallListener, PendingCall } from './pending-call.ts'
import { pickExecutor, pickStolen } from './schedule.ts'
import type { Executor } from './schedule.ts'
import { SharedFrames } from './shared-frames.ts'
import { TimeLimits } from './time-limits.ts'
import type { Expired } from './time-limits.ts'

/** More waiting calls are refused, and will be sent to another worker. */
const MAX_WAITING = 10_000
/** How often answers are looked for that were not announced, deadlines checked, and calls moved to idle executors. */
const WATCH_MS = 32

/** Runs calls on executors, replaces executors that end, and takes care that every call is answered once. */
export class ExecutorPool {
  readonly #options: PoolOptions
  readonly #claims = createClaims()
  readonly #ids = createCallIds(this.#claims)
  readonly #executors: Executor[] = []
  readonly #shared = new SharedFrames()
  readonly #waiting = new Set<PendingCall>()
  readonly #limits = new TimeLimits(this.#claims)
  #watch: NodeJS.Timeout | undefined
  #state: 'starting' | 'ready' | 'failed' | 'draining' | 'closed' = 'starting'
  #onIdle: (() => void) | undefined

  constructor(options: PoolOptions) {
    this.#options = options
    for (let index = 0; index < options.size; index += 1) this.#executors.push(this.#startExecutor(index))
  }

  submit(frame: Frame, listener: CallListener): PendingCall {
    const call = createPendingCall(frame, readCallTimeout(frame), listener)
    const isOpen = this.#state === 'ready' || this.#state === 'starting'
    if (isOpen && this.#waiting.size < MAX_WAITING) {
      this.#waiting.add(call)
      this.#assign()
    } else {
      const detail = isOpen ? 'Too many calls wait in this worker.' : 'The worker takes no more calls.'
      listener.onLost({ reason: 'draining', started: false, detail })
    }
    return call
  }

  /** Aborts a call: at once if it has not begun, else by its signal, and by force after its grace time. */
  cancel(call: PendingCall, frame: Frame, graceMs: number): void {
    if (this.#takeBack(call)) {
      call.listener.onLost({ reason: 'aborted', started: false, detail: 'It was cancelled before it began.' })
      this.#noticeIdle()
      return
    }
    if (!this.forward(call, frame)) return
    call.abortAt = performance.now() + graceMs
    this.#limits.add(call)
    this.#startWatch()
  }

  /** Keeps a value that calls refer to. */
  share(frame: Frame): void {
    this.#shared.add(frame, this.#threads)
  }

  unshare(frame: Frame): void {
    this.#shared.delete(frame, this.#threads)
  }

  /** Gives a call back that has not begun. */
  recall(call: PendingCall): void {
    if (!this.#takeBack(call)) return
    call.listener.onLost({ reason: 'recalled', started: false, detail: 'It was taken back before it began.' })
    this.#noticeIdle()
  }

  /** Ends a streaming call early. One that has not begun ends as a generator does that nobody has asked for a value. */
  return(call: PendingCall, frame: Frame): void {
    if (!this.#takeBack(call)) this.forward(call, frame)
    else call.listener.onFrame(toFrame({ kind: 'end', id: call.id, value: UNDEFINED_VALUE }))
    this.#noticeIdle()
  }

  /** Lets a streaming call send more items. */
  allow(call: PendingCall, frame: Frame): void {
    call.credit += readCreditItems(frame)
    this.forward(call, frame)
  }

  /** Passes a frame on to the executor of a call. False: the call is over, or waits. */
  forward(call: PendingCall, frame: Frame): boolean {
    const executor = this.#executors[call.executor]
    if (executor?.calls.get(call.id) !== call) return false
    executor.thread.post(frame, call.id)
    return true
  }

  /** Takes no more calls; resolves when those there are have been answered and the stop hooks have run. */
  async drain(): Promise<void> {
    if (this.#state === 'ready' || this.#state === 'starting') this.#state = 'draining'
    if (!this.#isIdle) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve
      })
    }
    await Promise.all(this.#executors.map((executor) => stopExecutor(executor)))
    this.close()
  }

  close(): void {
    this.#state = 'closed'
    clearInterval(this.#watch)
    for (const { thread } of this.#executors) thread.terminate()
  }

  get #threads(): readonly ExecutorThread[] {
    return this.#executors.map(({ thread }) => thread)
  }

  get #isIdle(): boolean {
    return this.#waiting.size === 0 && this.#executors.every(({ calls }) => calls.size === 0)
  }

  #startExecutor(index: number): Executor {
    const executor = startExecutor(this.#options, {
      index,
      claims: this.#claims,
      onFrame: (frame) => this.#receive(executor, frame),
      onNotice: (notice) => this.#notice(executor, notice),
      onEnd: (end) => this.#replace(executor, end),
    })
    this.#shared.giveTo(executor.thread)
    return executor
  }

  #receive(executor: Executor, frame: Frame): void {
    const call = executor.calls.get(frame.id)
    if (call === undefined) {
      if (frame.type === FRAME_TYPE.log) this.#options.events.onLog(readLog(frame))
      return
    }
    if (isAnswer(frame.type)) this.#release(executor, call)
    call.listener.onFrame(frame)
    if (!isAnswer(frame.type)) return
    this.#assign()
    this.#noticeIdle()
  }

  #notice(executor: Executor, notice: ExecutorNotice): void {
    switch (notice.kind) {
      case 'ready':
        if (this.#state === 'starting') {
          this.#state = 'ready'
          this.#options.events.onReady(notice.ids)
        }
        this.#assign()
        break
      case 'failed':
        this.#fail(notice.error)
        break
      case 'stopped':
        executor.onStopped?.()
    }
  }

  /** Hands waiting calls out, as long as there is somebody to take them. */
  #assign(): void {
    for (const call of this.#waiting) {
      const executor = pickExecutor(this.#executors, call.frame)
      if (executor === undefined || call.frame === undefined || !this.#handOut(call, call.frame, executor)) return
    }
  }

  #handOut(call: PendingCall, frame: Frame, executor: Executor): boolean {
    const id = this.#ids.take()
    if (id === undefined) return false
    this.#waiting.delete(call)
    call.id = id
    call.executor = executor.index
    if (movesMemory(frame)) call.frame = undefined
    executor.calls.set(id, call)
    this.#ids.offer(id)
    executor.thread.post(frame, id)
    if (call.credit > 0) executor.thread.post(toFrame({ kind: 'credit', id, items: call.credit }), id)
    if (call.timeoutMs > 0) this.#limits.add(call)
    if (call.timeoutMs > 0 || executor.calls.size > 1) this.#startWatch()
    return true
  }

  /** Removes a call that has not begun, from wherever it is. False: it has begun, or is over. */
  #takeBack(call: PendingCall): boolean {
    if (this.#waiting.delete(call)) return true
    const executor = this.#executors[call.executor]
    if (executor?.calls.get(call.id) !== call || !revokeCall(this.#claims, call.id)) return false
    this.#release(executor, call)
    return true
  }

  #release(executor: Executor, call: PendingCall): void {
    executor.calls.delete(call.id)
    this.#ids.release(call.id)
    this.#limits.delete(call)
    call.executor = -1
  }

  #startWatch(): void {
    this.#watch ??= setInterval(() => this.#look(), WATCH_MS)
  }

  #look(): void {
    for (const { thread } of this.#executors) thread.poll()
    const now = performance.now()
    for (const expired of this.#limits.takeExpired(now)) this.#end(expired)
    const stolen = pickStolen(this.#executors).filter((call) => this.#takeBack(call))
    for (const call of stolen) this.#waiting.add(call)
    if (stolen.length > 0) this.#assign()
    if (!this.#limits.isEmpty || this.#executors.some(({ calls }) => calls.size > 1)) return
    clearInterval(this.#watch)
    this.#watch = undefined
  }

  /** The executor goes with the call. */
  #end(expired: Expired): void {
    const executor = this.#executors[expired.call.executor]
    if (executor === undefined) return
    executor.ending = expired
    executor.thread.terminate()
  }

  #replace(executor: Executor, end: ThreadEnd): void {
    executor.onStopped?.()
    if (this.#state === 'closed') return
    if (!executor.thread.isReady) {
      this.#fail(encodeError(new Error(`The worker's code ended before it was loaded. ${end.detail}`)))
      return
    }
    const isBlamed = this.#settle(executor, end)
    if (!isBlamed && executor.ending === undefined) this.#options.events.onLog(toStrayLog(executor, end))
    this.#executors[executor.index] = this.#startExecutor(executor.index)
    this.#assign()
    this.#noticeIdle()
  }

  /** Answers the call that an ended executor was running and takes the others back. True if there was one. */
  #settle(executor: Executor, end: ThreadEnd): boolean {
    let isBlamed = false
    const again: PendingCall[] = []
    for (const call of executor.calls.values()) {
      const started = hasStarted(this.#claims, call.id)
      this.#release(executor, call)
      if (!started && call.frame !== undefined) again.push(call)
      else call.listener.onLost({ ...toReason(executor, call, end), started })
      isBlamed ||= started
    }
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const call of [...again, ...waiting]) this.#waiting.add(call)
    return isBlamed
  }

  #fail(error: WireValue): void {
    if (this.#state === 'failed' || this.#state === 'closed') return
    this.#state = 'failed'
    for (const call of this.#waiting) {
      call.listener.onLost({ reason: 'crashed', started: false, detail: 'The code of the worker failed to load.' })
    }
    this.#waiting.clear()
    this.#options.events.onFailed(error)
    this.#noticeIdle()
  }

  #noticeIdle(): void {
    if (this.#onIdle !== undefined && this.#isIdle) this.#onIdle()
  }
}

function readLog(frame: Frame): Log {
  const message = parseMessage(frame)
  if (message.kind !== 'log') throw new Error('This frame is no log line.')
  return message.log
}
