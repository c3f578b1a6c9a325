import { DEFAULT_MAX_FRAME_BYTES, FRAME_HEADER_BYTES, FRAME_TYPE, frameTooLarge } from './frame.ts'
import type { Frame } from './frame.ts'
import { maxHeadBytes, writeHead } from './message-codec.ts'
import type { Message } from './messages.ts'

const SLAB_BYTES = 64 * 1024
/** Smaller parts are copied beside their frame; larger ones are handed on as they are. */
const INLINE_PART_BYTES = 2048
const NO_PARTS: readonly Uint8Array[] = []

/** Collects frames, so that many small ones leave in one write. */
export interface FrameBatch {
  /** Bytes that `take` would return. */
  readonly bytes: number
  /** @throws FrameError `FRAME_TOO_LARGE`; the batch is then as before */
  add(message: Message): void
  /** Passes on a received frame, under another id where one is given. */
  addFrame(frame: Frame, id?: number): void
  /** Gives what has been collected, in order, and starts anew. */
  take(): Uint8Array[]
}

export function createFrameBatch(maxFrameBytes: number = DEFAULT_MAX_FRAME_BYTES): FrameBatch {
  return new SlabBatch(maxFrameBytes)
}

/** A message as a frame of its own, its parts not copied. */
export function toFrame(message: Message): Frame {
  const buffer = Buffer.allocUnsafeSlow(maxHeadBytes(message))
  const head = buffer.subarray(0, writeHead(buffer, 0, message))
  return { type: FRAME_TYPE[message.kind], id: message.id, head, parts: 'value' in message ? message.value.parts : [] }
}

class SlabBatch implements FrameBatch {
  readonly #maxFrameBytes: number
  #slab: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES)
  /** The open section of the slab: written, not yet among `#chunks`. */
  #start = 0
  #end = 0
  #chunks: Uint8Array[] = []
  bytes = 0

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes
  }

  add(message: Message): void {
    const parts = 'value' in message ? message.value.parts : NO_PARTS
    const headBytes = maxHeadBytes(message)
    const partBytes = totalBytes(parts)
    if (headBytes + partBytes > this.#maxFrameBytes) throw frameTooLarge(headBytes + partBytes, this.#maxFrameBytes)
    const start = this.#open(FRAME_HEADER_BYTES + 4 * parts.length + headBytes)
    const headStart = start + FRAME_HEADER_BYTES + 4 * parts.length
    const end = writeHead(this.#slab, headStart, message)
    writeFrameHeader(this.#slab, start, {
      type: FRAME_TYPE[message.kind],
      id: message.id,
      parts,
      bytes: end - start + partBytes,
    })
    this.#close(end, parts)
  }

  addFrame({ type, head, parts, ...frame }: Frame, id: number = frame.id): void {
    const start = this.#open(FRAME_HEADER_BYTES + 4 * parts.length + head.length)
    const headStart = start + FRAME_HEADER_BYTES + 4 * parts.length
    const end = headStart + head.copy(this.#slab, headStart)
    writeFrameHeader(this.#slab, start, { type, id, parts, bytes: end - start + totalBytes(parts) })
    this.#close(end, parts)
  }

  take(): Uint8Array[] {
    this.#closeSection()
    const chunks = this.#chunks
    this.#chunks = []
    this.bytes = 0
    return chunks
  }

  /** Makes room for a header and head of this many bytes and tells where it begins. */
  #open(bytes: number): number {
    if (this.#end + bytes > this.#slab.length) {
      this.#closeSection()
      this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes))
      this.#start = 0
      this.#end = 0
    }
    return this.#end
  }

  #close(end: number, parts: readonly Uint8Array[]): void {
    this.bytes += end - this.#end
    this.#end = end
    for (const part of parts) this.#addPart(part)
  }

  #addPart(part: Uint8Array): void {
    this.bytes += part.length
    if (part.length <= INLINE_PART_BYTES && this.#end + part.length <= this.#slab.length) {
      this.#slab.set(part, this.#end)
      this.#end += part.length
      return
    }
    this.#closeSection()
    this.#chunks.push(part)
  }

  #closeSection(): void {
    if (this.#end > this.#start) this.#chunks.push(this.#slab.subarray(this.#start, this.#end))
    this.#start = this.#end
  }
}

interface FrameShape {
  readonly type: number
  readonly id: number
  readonly parts: readonly Uint8Array[]
  /** Of the whole frame, its length field included. */
  readonly bytes: number
}

function writeFrameHeader(slab: Buffer, start: number, { type, id, parts, bytes }: FrameShape): void {
  slab.writeUInt32LE(bytes - 4, start)
  slab.writeUInt8(type, start + 4)
  slab.writeUInt32LE(id, start + 5)
  slab.writeUInt32LE(parts.length, start + 9)
  let at = start + FRAME_HEADER_BYTES
  for (const part of parts) at = slab.writeUInt32LE(part.length, at)
}

function totalBytes(parts: readonly Uint8Array[]): number {
  let bytes = 0
  for (const part of parts) bytes += part.length
  return bytes
}
