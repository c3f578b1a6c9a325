import type { FrameChannel } from '../threads/channel.ts'
import type { Claims } from '../threads/claims.ts'
import type { CallMessage } from '../wire/messages.ts'
import type { CallContext } from './call-context.ts'
import type { FunctionTable } from './functions.ts'
import type { Hooks } from './hooks.ts'
import type { SharedStore } from './shared-store.ts'
import type { CallStreams } from '../wire/call-streams.ts'
import type { Credit } from '../wire/pump.ts'

export interface RunnerOptions {
  readonly channel: FrameChannel
  readonly claims: Claims
  readonly functions: FunctionTable
  readonly hooks: Hooks
  readonly workerId: string
  readonly shared: SharedStore
  /** Called after each call, before its answer is sent. */
  readonly afterCall: (context: CallContext) => void
}

/** What a running call can be told from outside. */
export interface RunningCall {
  readonly call: CallMessage
  readonly context: CallContext
  readonly credit: Credit
  /** Captures and arguments, where they are decoded already. */
  readonly values?: readonly unknown[]
  /** Told before a result is sent whose streams are still to come. */
  readonly onOpen?: () => void
  /** Made when the arguments or the result hold one. */
  streams: CallStreams | undefined
}

/** Tells a call to end: its signal aborts, and its streams. */
export function cancelCall({ context, credit, streams }: RunningCall, reason: unknown): void {
  credit.close()
  context.abort(reason)
  streams?.close(reason)
}
