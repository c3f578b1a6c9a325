import type { TransferListItem } from 'node:worker_threads'

import { copyBytes } from '../wire/copy-bytes.ts'
import type { Frame } from '../wire/frame.ts'

/** Smaller parts are copied together: to move many costs the square of how many there are (65,536 take 15 s). */
const MOVED_BYTES = 64 * 1024

/** A frame whose memory changes hands. */
export interface AttachedFrame {
  readonly type: number
  readonly id: number
  readonly head: Uint8Array
  /** Of each part. */
  readonly lengths: Uint32Array
  /** The small parts, one after the other. */
  readonly packed: Uint8Array
  readonly large: readonly Uint8Array[]
}

export function toAttached({ type, id, ...frame }: Frame): {
  readonly attached: AttachedFrame
  readonly moved: readonly TransferListItem[]
} {
  const head = toOwned(frame.head)
  const lengths = Uint32Array.from(frame.parts, (part) => part.length)
  const packed = new Uint8Array(lengths.reduce((sum, length) => (length < MOVED_BYTES ? sum + length : sum), 0))
  const large: Uint8Array<ArrayBuffer>[] = []
  let at = 0
  for (const part of frame.parts) {
    if (part.length >= MOVED_BYTES) {
      large.push(toOwned(part))
    } else {
      packed.set(part, at)
      at += part.length
    }
  }
  const moved = [head, lengths, packed, ...large].map((bytes) => bytes.buffer)
  return { attached: { type, id, head, lengths, packed, large }, moved }
}

export function fromAttached({ type, id, head, lengths, packed, large }: AttachedFrame): Frame {
  const parts: Uint8Array[] = []
  const moved = large.values()
  let at = 0
  for (const length of lengths) {
    const part = length < MOVED_BYTES ? packed.subarray(at, at + length) : moved.next().value
    if (part === undefined) throw new Error('A part of a frame did not arrive.')
    if (length < MOVED_BYTES) at += length
    parts.push(part)
  }
  return { type, id, head: Buffer.from(head.buffer, head.byteOffset, head.byteLength), parts }
}

/** Both threads are of the same build, so what one sent is what the other expects. */
export function parseAttached(message: unknown): AttachedFrame {
  return message as AttachedFrame
}

/** Memory that can change hands: all of its ArrayBuffer. */
function toOwned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength) return new Uint8Array(buffer)
  return copyBytes(bytes)
}
