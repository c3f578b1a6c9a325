import { performance, queueMicrotask, setImmediate } from '../clock.ts'
import { claimCall } from '../threads/claims.ts'
import { FRAME_TYPE, FrameError } from '../wire/frame.ts'
import type { Frame } from '../wire/frame.ts'
import { parseMessage } from '../wire/message-codec.ts'
import type { CallMessage, Message } from '../wire/messages.ts'
import { createCredit } from '../wire/pump.ts'
import { MalformedValueError, decodeError, encodeError } from '../wire/values.ts'
import { CallContext } from './call-context.ts'
import { runBatch } from './batch.ts'
import type { BatchOptions } from './batch.ts'
import { runCall } from './execute.ts'
import type { Answer } from './execute.ts'
import { cancelCall } from './running-call.ts'
import type { RunnerOptions, RunningCall } from './running-call.ts'

/** After this long the event loop gets its turn, however many short calls are waiting. */
const SLICE_MS = 5

/**
 * Answers of short calls are announced together: a wake-up costs as much as such a call. If the next call is a long
 * one, the talking thread finds the answers itself: it looks as often while calls are waiting. Each announcement takes
 * the processor from calls three times, here, there and in the program: 0.1 ms for calls of 1 ms when it is made for each.
 */
const WAKE_ANSWERS = 24
const WAKE_MS = 32

/** Runs calls one after the other. */
export class CallRunner {
  readonly #options: RunnerOptions
  readonly #batchOptions: BatchOptions
  #queue: CallMessage[] = []
  #next = 0
  #isBusy = false
  /** Credit of calls that have not begun. */
  readonly #earlyCredit = new Map<number, number>()
  #running: RunningCall | undefined

  constructor(options: RunnerOptions) {
    this.#options = options
    this.#batchOptions = { ...options, onRun: (running) => (this.#running = running) }
  }

  receive(frame: Frame): void {
    try {
      this.#receive(parseMessage(frame))
    } catch (error) {
      // The bytes come from outside: what cannot be read fails the call that it belongs to, and no other.
      if (!(error instanceof FrameError || error instanceof MalformedValueError)) throw error
      if (frame.type === FRAME_TYPE.call) this.#refuse(frame, error)
    }
  }

  #refuse({ id }: Frame, error: unknown): void {
    const { claims, channel } = this.#options
    if (claimCall(claims, id)) channel.send({ kind: 'error', id, value: encodeError(error) })
  }

  #receive(message: Message): void {
    switch (message.kind) {
      case 'call':
        this.#queue.push(message)
        if (!this.#isBusy) this.#start()
        break
      case 'cancel':
        if (message.id === this.#running?.call.id) cancelCall(this.#running, decodeError(message.value))
        break
      case 'stream':
        if (message.id === this.#running?.call.id) this.#running.streams?.receive(message)
        break
      case 'credit':
        this.#addCredit(message.id, message.items)
        break
      case 'share':
        this.#options.shared.add(message.key, message.value)
        break
      case 'unshare':
        this.#options.shared.delete(message.key)
        break
      case 'return':
        if (message.id === this.#running?.call.id) this.#running.credit.close()
        break
      default:
        throw new Error(`An executor does not expect a "${message.kind}".`)
    }
  }

  #addCredit(id: number, items: number): void {
    if (id === this.#running?.call.id) this.#running.credit.add(items)
    else this.#earlyCredit.set(id, (this.#earlyCredit.get(id) ?? 0) + items)
  }

  #start(): void {
    this.#isBusy = true
    // What arrived together is taken over together: the first call begins when all of them are queued.
    queueMicrotask(() => void this.#runAll())
  }

  async #runAll(): Promise<void> {
    const { channel } = this.#options
    let sliceEnd = performance.now() + SLICE_MS
    let wokenAt = performance.now()
    let answers = 0
    for (let call = this.#take(); call !== undefined; call = this.#take()) {
      channel.isHeld = this.#next < this.#queue.length
      if (claimCall(this.#options.claims, call.id)) await this.#run(call)
      this.#earlyCredit.delete(call.id)
      if (channel.isFull) await channel.whenDrained()
      const now = performance.now()
      answers += 1
      if (answers === WAKE_ANSWERS || now >= wokenAt + WAKE_MS) {
        channel.wake()
        wokenAt = now
        answers = 0
      }
      if (now < sliceEnd) continue
      await new Promise<void>((resolve) => setImmediate(resolve))
      sliceEnd = performance.now() + SLICE_MS
    }
    channel.isHeld = false
    channel.wake()
    this.#isBusy = false
  }

  #take(): CallMessage | undefined {
    if (this.#next === this.#queue.length) {
      this.#queue = []
      this.#next = 0
      this.#options.channel.poll()
    }
    const call = this.#queue[this.#next]
    if (call !== undefined) this.#next += 1
    return call
  }

  async #run(call: CallMessage): Promise<void> {
    const isBatch = call.results === 'batch' || call.results === 'opened-batch'
    const answer = isBatch ? await runBatch(call, this.#batchOptions) : await this.#runOne(call)
    this.#options.channel.send(answer)
    this.#running = undefined
  }

  async #runOne(call: CallMessage): Promise<Answer> {
    const context = new CallContext(call, this.#options.workerId)
    const credit = createCredit(this.#earlyCredit.get(call.id) ?? 0)
    this.#running = { call, context, credit, streams: undefined }
    const answer = await runCall(this.#running, this.#options)
    this.#options.afterCall(context)
    return answer
  }
}
