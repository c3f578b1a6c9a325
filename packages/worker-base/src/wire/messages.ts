import type { WireValue } from './values.ts'

/** A call: runs `liftId` with the values of `value`, the first `captures` of which are captures. */
export interface CallMessage {
  readonly kind: 'call'
  readonly id: number
  readonly liftId: string
  /** How many leading values are captures. With captures the function is called as `fn(...captures)(...args)`. */
  readonly captures: number
  /** 1 for the first try. */
  readonly attempt: number
  /** Longest run time, counted from when an executor starts the call. 0: no limit. */
  readonly timeoutMs: number
  /** Text that goes along for tools, such as `traceparent`; the function finds it in its context. */
  readonly carrier?: Readonly<Record<string, string>> | undefined
  /** Default `whole`. */
  readonly results?: ResultForm
  /** Made by `encodeArguments`. */
  readonly value: WireValue
}

/**
 * How the result comes.
 * - `whole`: streams of bytes are read to their end first, other async iterables are refused
 * - `items`: an async generator is sent as `item`s, with credit
 * - `opened`: streams and async iterables come as `stream` events after `opened`
 * - `batch`: the call stands for many of the same function, whose lists of values are its values. They run one after
 *   the other. Its result is `[milliseconds, results, indexes of those that are undefined]`, for as many as were run;
 *   the others had better be sent anew, since one took long. What is not plain JSON comes before, as `outcome`.
 * - `opened-batch`: a batch whose results may hold streams. The first that does ends the batch: an `outcome` `opened`
 *   has the results before it, like the result of a batch, and from then on the call is that one alone, as with `opened`
 * - `json`, `devalue`: `items` for a caller who reads text. Results and items are JSON, or devalue's own text without
 *   parts; an `error` holds three digits, its HTTP status, and an object as JSON
 */
export type ResultForm = (typeof RESULT_FORMS)[number]

export const RESULT_FORMS = ['whole', 'items', 'opened', 'batch', 'opened-batch', 'json', 'devalue'] as const

/** A form of text that people and other programs read. */
export type TextForm = Extract<ResultForm, 'json' | 'devalue'>

/**
 * What happens to a stream among the arguments or in the result of a call, told by the side that gives it (`item`,
 * `end`, `error`) to the one that reads it, or the other way round (`credit`, `cancel`). An item needs credit, and so
 * does the end. Arguments and result count their streams apart, from 0.
 */
export interface StreamMessage {
  readonly kind: 'stream'
  /** The call. */
  readonly id: number
  readonly stream: number
  readonly event: StreamEventName
  /** With `credit`: how many items more may be sent. */
  readonly items: number
  /** An item; with `error` and `cancel` why (made by `encodeError`). */
  readonly value: WireValue
}

export type StreamEventName = (typeof STREAM_EVENTS)[number]

export const STREAM_EVENTS = ['item', 'end', 'error', 'credit', 'cancel'] as const

/** How one call of a batch ended. */
export interface OutcomeMessage {
  readonly kind: 'outcome'
  /** The batch. */
  readonly id: number
  readonly index: number
  readonly answer: OutcomeKind
  /** With `lost`: a `Lost` as JSON. With `opened`: the results of the calls before it. */
  readonly value: WireValue
}

export type OutcomeKind = (typeof OUTCOME_KINDS)[number]

export const OUTCOME_KINDS = ['result', 'error', 'lost', 'opened'] as const

/** What the program sends. */
export type ProgramMessage =
  | CallMessage
  /**
   * Aborts the call's signal with the reason `value` (made by `encodeError`). The call then answers as usual;
   * when it does not within `graceMs`, its executor is ended and the answer is `lost` with the reason `aborted`.
   */
  | { readonly kind: 'cancel'; readonly id: number; readonly graceMs: number; readonly value: WireValue }
  /** Lets a streaming call send this many items more; may follow the call at once. Its end needs credit as well. */
  | { readonly kind: 'credit'; readonly id: number; readonly items: number }
  /** Ends a streaming call early (`return()` of its iterator); it answers `end` or `error`. */
  | { readonly kind: 'return'; readonly id: number }
  /**
   * Takes a call back that has not begun, for another worker to run: it is answered by `lost` with the reason
   * `recalled`. One that has begun goes on as if nothing had been said.
   */
  | { readonly kind: 'recall'; readonly id: number }
  /** A value that later calls of this connection hold by its key (made by `rememberShared`). */
  | { readonly kind: 'share'; readonly id: 0; readonly key: string; readonly value: WireValue }
  /** No later call holds that value, unless it is shared again. */
  | { readonly kind: 'unshare'; readonly id: 0; readonly key: string }
  /** Asks the worker to finish its calls and exit. */
  | { readonly kind: 'drain'; readonly id: 0 }
  | StreamMessage
  | HeartbeatMessage

/** Both sides answer each `ping` with a `pong` of the same id, however busy the executors are. */
export interface HeartbeatMessage {
  readonly kind: 'ping' | 'pong'
  readonly id: number
}

/** What the worker sends. Each call is answered by exactly one of `result`, `error`, `end`, `lost`. */
export type WorkerMessage =
  /** The first message of a connection. */
  | { readonly kind: 'hello'; readonly id: 0; readonly hello: Hello }
  | { readonly kind: 'result'; readonly id: number; readonly value: WireValue }
  /** The function threw; `decodeError(value)` is what it threw. */
  | { readonly kind: 'error'; readonly id: number; readonly value: WireValue }
  /** The next value of a streaming call. */
  | { readonly kind: 'item'; readonly id: number; readonly value: WireValue }
  /** A streaming call ended; `value` is what its generator returned. Also the end of a call that was `opened`. */
  | { readonly kind: 'end'; readonly id: number; readonly value: WireValue }
  | OutcomeMessage
  /** The result of a call, whose streams are still to come; the call goes on until they have ended. */
  | { readonly kind: 'opened'; readonly id: number; readonly value: WireValue }
  | StreamMessage
  /** There will be no result, for a reason that is not the function's own error. */
  | { readonly kind: 'lost'; readonly id: number; readonly lost: Lost }
  /** Lines that user code printed. `id` is the call that printed them, 0 outside of calls. */
  | { readonly kind: 'log'; readonly id: number; readonly log: Log }
  /** The worker takes no more calls; those in flight are finished. */
  | { readonly kind: 'draining'; readonly id: 0 }
  /** The worker cannot serve calls: its code failed to load. `decodeError(value)` says why. */
  | { readonly kind: 'failed'; readonly id: 0; readonly value: WireValue }
  | HeartbeatMessage

export type Message = ProgramMessage | WorkerMessage

export interface Hello {
  readonly workerId: string
  /** The manifest hash that the worker was started with. */
  readonly build: string
  /** Calls that it runs at a time. More may be sent: they wait in the worker. */
  readonly slots: number
  readonly pid: number
  readonly maxFrameBytes: number
}

/**
 * Why a call has no result.
 * - `exit`: user code ended its executor (`process.exit()`)
 * - `out-of-memory`: the executor's heap is full
 * - `timeout`: it ran for longer than its `timeoutMs`; the executor was ended
 * - `aborted`: it was cancelled before it started, or went on for longer than its grace time after its cancel
 * - `crashed`: an uncaught exception or unhandled rejection ended the executor; `detail` is its stack
 * - `recalled`: it was taken back before it began
 * - `draining`: the worker is about to exit, or has far too many calls waiting, and did not take this one
 * - `unknown-function`: the worker's code has no such lifted function; `detail` names those it has
 * - `unsendable`: the result cannot be sent; `detail` says why, `path` where
 */
export type LostReason = (typeof LOST_REASONS)[number]

export const LOST_REASONS = [
  'exit',
  'out-of-memory',
  'timeout',
  'aborted',
  'crashed',
  'recalled',
  'draining',
  'unknown-function',
  'unsendable',
] as const

export interface Lost {
  readonly reason: LostReason
  /** Whether user code of this call had begun. If not, it is safe to send it again, and counts as no attempt. */
  readonly started: boolean
  readonly detail: string
  /** With `unsendable`: where in the result. */
  readonly path?: string
}

export interface Log {
  readonly stream: 'stdout' | 'stderr'
  /** Number of the executor, from 0. */
  readonly executor: number
  /** Whole lines without the last line feed. */
  readonly text: string
  /** Lines that were dropped before these, because too many were printed. */
  readonly dropped: number
}
