import type { ChannelEnd } from './channel.ts'
import type { Claims } from './claims.ts'
import type { ThreadPlace } from './child-processes.ts'
import type { WireValue } from '../wire/values.ts'

/** What an executor thread is started with. */
export interface ExecutorData {
  readonly channel: ChannelEnd
  readonly claims: Claims
  readonly workerId: string
  /** Number of the executor, from 0. */
  readonly executor: number
  /** 1: this executor is about to be ended, and must not answer any more. */
  readonly ending: Int32Array<SharedArrayBuffer>
  /** `process.argv` of user code: that of the program. */
  readonly argv: readonly string[]
  /** URL of the module that exports `functions`; in dev `loadFunction(id): Promise<Function>`, asked at each call. */
  readonly functions: string
}

/** What executor and talking thread tell each other besides frames. */
export type ExecutorNotice =
  /** Ready for calls. `ids`: the functions it has, unless they come and go. `place`: of its thread, where there is one. */
  | { readonly kind: 'ready'; readonly ids: readonly string[] | undefined; readonly place: ThreadPlace | undefined }
  /** Its code failed to load. `error` is what `encodeError` made. */
  | { readonly kind: 'failed'; readonly error: WireValue }
  /** The stop hooks have run. */
  | { readonly kind: 'stopped' }

/** The talking thread asks the executor to run its stop hooks. */
export interface StopRequest {
  readonly kind: 'stop'
}
