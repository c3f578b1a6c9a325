// One frame: u32 length of what follows, u8 type, u32 id, u32 number of parts, u32 length of each part, head, parts.
// All numbers are little-endian. The head holds the fields of the message and the text of its value; the parts hold
// binary data. Their lengths stand in front of everything, so that a receiver gives each large part memory of its own
// and fills it as the bytes arrive: no copy follows.

import { copyBytes } from './copy-bytes.ts'

/** Bytes before the table of part lengths. */
export const FRAME_HEADER_BYTES = 13

/** Frames above this are refused by both sides, unless set otherwise. */
export const DEFAULT_MAX_FRAME_BYTES: number = 256 * 1024 * 1024

/** Each part costs much more than its bytes: a frame of empty parts would take a hundred times its size. */
export const MOST_PARTS: number = 2 ** 18

/** Numbers of the frame types on the wire. */
export const FRAME_TYPE = {
  call: 1,
  cancel: 2,
  result: 3,
  error: 4,
  item: 5,
  end: 6,
  credit: 7,
  return: 8,
  log: 9,
  ping: 10,
  pong: 11,
  drain: 12,
  draining: 13,
  failed: 14,
  lost: 15,
  hello: 16,
  recall: 17,
  share: 18,
  opened: 19,
  stream: 20,
  outcome: 21,
  unshare: 22,
} as const

/** One frame as it arrived: fields and text unread, so that it can be passed on as it is. */
export interface Frame {
  readonly type: number
  /** The call it belongs to; 0 where it belongs to none. */
  readonly id: number
  readonly head: Buffer
  readonly parts: readonly Uint8Array[]
}

/** Whether a frame of this type ends the call it belongs to. */
export function isAnswer(type: number): boolean {
  return type === FRAME_TYPE.result || type === FRAME_TYPE.error || type === FRAME_TYPE.end || type === FRAME_TYPE.lost
}

/** The same frame in memory of its own. */
export function copyFrame({ type, id, head, parts }: Frame): Frame {
  return { type, id, head: Buffer.from(head), parts: parts.map(copyBytes) }
}

export type FrameErrorCode = 'FRAME_TOO_LARGE' | 'FRAME_MALFORMED' | 'FRAME_TRUNCATED'

/** The bytes are not frames, or not acceptable ones. The connection they came from cannot be used any further. */
export class FrameError extends Error {
  override name = 'FrameError'
  readonly code: FrameErrorCode
  constructor(code: FrameErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

export function frameTooLarge(bytes: number, maxBytes: number): FrameError {
  return new FrameError('FRAME_TOO_LARGE', `A frame of ${bytes} bytes is above the limit of ${maxBytes} bytes.`)
}

export function frameMalformed(why: string): FrameError {
  return new FrameError('FRAME_MALFORMED', `The bytes are not a turbolift frame: ${why}.`)
}
