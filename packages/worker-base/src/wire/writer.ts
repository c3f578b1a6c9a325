import type { Place, Step } from './place.ts'
import type { SharedValue } from './shared.ts'

/** What of a value does not go into its text, and what is to be known to write it. */
export interface Surroundings {
  /** Completes the path of a part, `.a[0]`, as errors name it. */
  readonly toPath: (path: string) => string
  /** How the stacks of errors are told to the other side. */
  readonly mapStack?: ((stack: string) => string) | undefined
  /** Ends the reading of streams. */
  readonly signal?: AbortSignal | undefined
  /** Signals that the value holds; absent where nobody could pass their abort on. */
  readonly signals?: AbortSignal[] | undefined
  /** Values that are sent apart; absent where everything is sent as it is. */
  readonly shared?: SharedValue[] | undefined
  /** Streams that are sent on when somebody reads them; absent where they have to be read before. */
  readonly streams?: AsyncIterable<unknown>[] | undefined
}

/** What is written: text, number by number, and what goes beside it. */
export interface Writer {
  readonly around: Surroundings
  /** Parts whose bytes take time to read, to be begun when all is written. */
  readonly late: LatePart[]
  /** The number of a part of a value, negative for what has one of its own, or LEFT_OUT. */
  add(value: unknown, parent: Place, step: Step): number
  /** The same of a field, which may be a getter. */
  addField(place: Place, key: string): number
  /** Bytes beside the text. */
  addPart(bytes: Uint8Array, parent: Place, step: Step): number
  /** Refuses what cannot be sent, or notes it where something may be missing. */
  leaveOut(parent: Place, step: Step, reason: string, cause?: unknown): number
  leaveOutLarge(parent: Place, step: Step, bytes: number): number
  /** Gives what `add` numbered its text. */
  set(index: number, text: string): void
  /** Called when everything is written. */
  onEnd(end: () => void): void
  /** Whether so many bytes more are too many. */
  isFull(bytes: number): boolean
  /** Takes room, or gives it back. */
  take(bytes: number): void
}

export interface LatePart {
  readonly part: number
  readonly read: () => Promise<Uint8Array>
}

/** Writes an object whose parts are objects too. */
export type WriteMembers = (writer: Writer, place: Place) => string
