import { installContext, CallContext } from './executor/call-context.ts'
import { runCall } from './executor/execute.ts'
import { loadFunctionTable } from './executor/functions.ts'
import type { FunctionTable } from './executor/functions.ts'
import { createHooks } from './executor/hooks.ts'
import type { Hooks } from './executor/hooks.ts'
import { LentProcess } from './executor/lent-process.ts'
import { cancelCall } from './executor/running-call.ts'
import type { RunnerOptions, RunningCall } from './executor/running-call.ts'
import { SharedStore } from './executor/shared-store.ts'
import { createClaims } from './threads/claims.ts'
import type { CallMessage, ProgramMessage, WorkerMessage } from './wire/messages.ts'
import { createCredit } from './wire/pump.ts'
import { decodeError } from './wire/values.ts'

export interface InlineWorkerOptions {
  /** URL of the module that exports `functions`. */
  readonly functions: string
  readonly workerId: string
  /** Hears of each call's items, streams and answer. */
  readonly onMessage: (message: WorkerMessage) => void
}

/** A worker without a process or thread of its own. It takes the messages that one behind a connection takes. */
export interface InlineWorker {
  /** Calls run at the same time, as asynchronous functions do; their time is not limited. */
  send(message: ProgramMessage): void
  /** Runs the `onWorkerStop` hooks. */
  stop(): Promise<void>
}

/** Loads lifted functions into this process. */
export async function createInlineWorker(options: InlineWorkerOptions): Promise<InlineWorker> {
  const hooks = createHooks()
  installContext(hooks)
  // As in a worker: stacks show the user's sources. Holds for what is loaded from now on.
  process.setSourceMapsEnabled(true)
  const lent = new LentProcess()
  try {
    const functions = await lent.run(() => loadFunctionTable(options.functions))
    return new SameProcessWorker(options, { lent, hooks, functions })
  } catch (error) {
    lent.end()
    throw error
  }
}

interface Loaded {
  readonly lent: LentProcess
  readonly hooks: Hooks
  readonly functions: FunctionTable
}

class SameProcessWorker implements InlineWorker {
  readonly #options: InlineWorkerOptions
  readonly #lent: LentProcess
  readonly #runner: RunnerOptions
  readonly #running: Map<number, RunningCall> = new Map()

  constructor(options: InlineWorkerOptions, { lent, hooks, functions }: Loaded) {
    this.#options = options
    this.#lent = lent
    const channel: RunnerOptions['channel'] = {
      send: (message) => this.#receive(message),
      sendFrame: () => undefined,
      poll: () => undefined,
      isHeld: false,
      wake: () => undefined,
      isFull: false,
      whenDrained: async () => undefined,
      close: () => undefined,
    }
    this.#runner = {
      channel,
      functions,
      hooks,
      workerId: options.workerId,
      shared: new SharedStore(),
      claims: createClaims(),
      afterCall: () => undefined,
    }
  }

  send(message: ProgramMessage): void {
    if (message.kind === 'call') void this.#lent.run(() => this.#run(message))
    if (message.kind === 'share') this.#runner.shared.add(message.key, message.value)
    if (message.kind === 'unshare') this.#runner.shared.delete(message.key)
    const running = this.#running.get(message.id)
    if (running === undefined) return
    if (message.kind === 'credit') running.credit.add(message.items)
    if (message.kind === 'stream') running.streams?.receive(message)
    if (message.kind === 'return') running.credit.close()
    if (message.kind === 'cancel') cancelCall(running, decodeError(message.value))
  }

  async stop(): Promise<void> {
    try {
      await this.#lent.run(() => this.#runner.hooks.runStop())
    } finally {
      this.#lent.end()
    }
  }

  async #run(call: CallMessage): Promise<void> {
    const context = new CallContext(call, this.#options.workerId)
    const running: RunningCall = { call, context, credit: createCredit(0), streams: undefined }
    this.#running.set(call.id, running)
    const answer = await runCall(running, this.#runner)
    this.#running.delete(call.id)
    this.#tell(answer)
  }

  #receive(message: Parameters<RunnerOptions['channel']['send']>[0]): void {
    if (message.kind === 'item' || message.kind === 'opened' || message.kind === 'stream') this.#tell(message)
  }

  #tell(message: WorkerMessage): void {
    this.#lent.leave(() => this.#options.onMessage(message))
  }
}
