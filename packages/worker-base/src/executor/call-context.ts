import { AsyncLocalStorage } from 'node:async_hooks'
import { format } from 'node:util'

import { installContextHost } from '../context.ts'
import type { LiftContext, LiftLogger } from '../context.ts'
import type { CallMessage } from '../wire/messages.ts'
import type { Hooks } from './hooks.ts'

const NOTHING: Readonly<Record<string, string>> = {}

/** The context of one call; its signal is made only when somebody asks for it. */
export class CallContext implements LiftContext {
  readonly id: number
  readonly attempt: number
  readonly workerId: string
  readonly carrier: Readonly<Record<string, string>>
  readonly #index: number | undefined
  #controller: AbortController | undefined

  /** @param index of one call among those of a batch */
  constructor({ id, attempt, carrier }: CallMessage, workerId: string, index?: number) {
    this.id = id
    this.#index = index
    this.attempt = attempt
    this.carrier = carrier ?? NOTHING
    this.workerId = workerId
  }

  get callId(): string {
    return this.#index === undefined ? `${this.workerId}.${this.id}` : `${this.workerId}.${this.id}.${this.#index}`
  }

  get isAborted(): boolean {
    return this.#controller?.signal.aborted === true
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }

  get logger(): LiftLogger {
    return LOGGER
  }

  abort(reason: unknown): void {
    this.#controller ??= new AbortController()
    this.#controller.abort(reason)
  }
}

const LOGGER: LiftLogger = {
  debug: (...values) => printLine(process.stdout, values),
  info: (...values) => printLine(process.stdout, values),
  warn: (...values) => printLine(process.stderr, values),
  error: (...values) => printLine(process.stderr, values),
}

function printLine(stream: NodeJS.WriteStream, values: readonly unknown[]): void {
  stream.write(`${format(...values)}\n`)
}

const storage = new AsyncLocalStorage<CallContext>()

/** The latest call that began; the running one, where calls run one at a time. */
let latest: CallContext | undefined
let isTracked = true

/**
 * The call that the calling code belongs to. Where calls run one at a time and nobody has asked for a context, what a
 * call left behind may count as part of the next one: following it costs as much as a tiny call.
 */
export function currentCall(): CallContext | undefined {
  return isTracked ? (storage.getStore() ?? latest) : latest
}

export function runInCall<Result>(context: CallContext, run: () => Result): Result {
  if (isTracked) return storage.run(context, run)
  latest = context
  return run()
}

/** Says that no call runs, where calls run one at a time. */
export function leaveCall(): void {
  latest = undefined
}

export interface ContextOptions {
  /** Calls run one at a time: contexts are followed through asynchronous code only once a function asks for one. */
  readonly isSequential: boolean
}

export function installContext(hooks: Hooks, options: ContextOptions = { isSequential: false }): void {
  isTracked = !options.isSequential
  installContextHost({
    current() {
      const call = currentCall()
      isTracked = true
      return call
    },
    addStartHook: (hook) => hooks.addStart(hook),
    addStopHook: (hook) => hooks.addStop(hook),
  })
}
