import type { ChannelEnd } from './channel.ts'
import type { Claims } from './claims.ts'
import type { WireValue } from '../wire/values.ts'

/** What an executor thread is started with. */
export interface ExecutorData {
  readonly channel: ChannelEnd
  readonly claims: Claims
  readonly workerId: string
  /** Number of the executor, from 0. */
  readonly executor: number
  /** URL of the module that exports `functions`; in dev `loadFunction(id): Promise<Function>`, asked at each call. */
  readonly functions: string
}

/** What executor and talking thread tell each other besides frames. */
export type ExecutorNotice =
  /** Ready for calls. `ids`: the functions it has, unless they come and go. */
  | { readonly kind: 'ready'; readonly ids: readonly string[] | undefined }
  /** Its code failed to load. `error` is what `encodeError` made. */
  | { readonly kind: 'failed'; readonly error: WireValue }
  /** The stop hooks have run. */
  | { readonly kind: 'stopped' }

/** The talking thread asks the executor to run its stop hooks. */
export interface StopRequest {
  readonly kind: 'stop'
}
