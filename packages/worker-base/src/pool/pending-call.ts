import type { Frame } from '../wire/frame.ts'
import type { Lost } from '../wire/messages.ts'

/** Who gets what becomes of a call. Its functions must not throw: they are called between the answers of other calls. */
export interface CallListener {
  /** An answer, an item or a line that the call printed, under the id that the pool gave the call. */
  onFrame(frame: Frame): void
  /** There will be no answer. */
  onLost(lost: Lost): void
}

/** A call that is not answered yet. */
export interface PendingCall {
  /** 0 while it waits. */
  id: number
  /** Number of the executor that has it; -1 while it waits. */
  executor: number
  readonly timeoutMs: number
  readonly listener: CallListener
  /** `undefined` once its memory has been moved to an executor: then it cannot be sent again. */
  frame: Frame | undefined
  /** Items that it may send, as long as it has not begun. */
  credit: number
  /** Set once it was seen to have begun. */
  deadline: number | undefined
  /** Set by a cancel: when its executor is ended. */
  abortAt: number | undefined
}

export function createPendingCall(frame: Frame, timeoutMs: number, listener: CallListener): PendingCall {
  return { id: 0, executor: -1, timeoutMs, listener, frame, credit: 0, deadline: undefined, abortAt: undefined }
}

const MOVED_BYTES = 64 * 1024

/** Whether an executor gets the frame's own memory, and not a copy. */
export function movesMemory(frame: Frame): boolean {
  let bytes = frame.head.length
  for (const part of frame.parts) bytes += part.length
  return bytes > MOVED_BYTES
}
