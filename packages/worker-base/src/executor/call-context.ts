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
  #controller: AbortController | undefined

  constructor({ id, attempt, carrier }: CallMessage, workerId: string) {
    this.id = id
    this.attempt = attempt
    this.carrier = carrier ?? NOTHING
    this.workerId = workerId
  }

  get callId(): string {
    return `${this.workerId}.${this.id}`
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

const running = new AsyncLocalStorage<CallContext>()

/** The call that the calling code belongs to, also in what it left behind. */
export function currentCall(): CallContext | undefined {
  return running.getStore()
}

export function runInCall<Result>(context: CallContext, run: () => Result): Result {
  return running.run(context, run)
}

export function installContext(hooks: Hooks): void {
  installContextHost({
    current: currentCall,
    addStartHook: (hook) => hooks.addStart(hook),
    addStopHook: (hook) => hooks.addStop(hook),
  })
}
