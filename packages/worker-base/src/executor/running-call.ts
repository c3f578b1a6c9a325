import type { FrameChannel } from '../threads/channel.ts'
import type { Claims } from '../threads/claims.ts'
import type { CallMessage } from '../wire/messages.ts'
import type { CallContext } from './call-context.ts'
import type { FunctionTable } from './functions.ts'
import type { Hooks } from './hooks.ts'
import type { SharedStore } from './shared-store.ts'
import type { Credit } from './stream.ts'

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
}
