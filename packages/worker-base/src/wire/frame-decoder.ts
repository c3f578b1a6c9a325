import {
  DEFAULT_MAX_FRAME_BYTES,
  FRAME_HEADER_BYTES,
  FrameError,
  MOST_PARTS,
  frameMalformed,
  frameTooLarge,
} from './frame.ts'
import type { Frame } from './frame.ts'

/** Frames up to this size are put together as a whole; in larger ones each part gets memory of its own. */
const WHOLE_FRAME_BYTES = 64 * 1024
const LENGTH_BYTES = 4
/** Of a large frame: smaller parts share memory. */
const OWN_MEMORY_BYTES = 4096
const EMPTY = Buffer.alloc(0)

export interface FrameDecoderOptions {
  /** Called for each complete frame, in order, inside `push`. Its buffers may share memory with the pushed chunk. */
  readonly onFrame: (frame: Frame) => void
  /** Default 256 MiB. */
  readonly maxFrameBytes?: number
}

/** Turns chunks of any size into frames. After it threw it throws the same error for ever: the stream is lost. */
export interface FrameDecoder {
  /**
   * Takes the next bytes of the stream.
   * @throws FrameError `FRAME_TOO_LARGE`, `FRAME_MALFORMED`
   */
  push(chunk: Uint8Array): void
  /**
   * Says that the stream ended.
   * @throws FrameError `FRAME_TRUNCATED` inside a frame
   */
  end(): void
}

export function createFrameDecoder(options: FrameDecoderOptions): FrameDecoder {
  return new IncrementalDecoder(options)
}

/** A large frame of which some bytes are still to come. */
interface PartialFrame {
  readonly type: number
  readonly id: number
  readonly targets: readonly Buffer[]
  index: number
  offset: number
}

class IncrementalDecoder implements FrameDecoder {
  readonly #onFrame: (frame: Frame) => void
  readonly #maxFrameBytes: number
  /** Bytes of an unfinished small frame, or of the header and table of a large one; `#gathered` of them are there. */
  #gather: Buffer = Buffer.allocUnsafe(4096)
  #gathered = 0
  #partial: PartialFrame | undefined
  #broken: unknown

  constructor({ onFrame, maxFrameBytes = DEFAULT_MAX_FRAME_BYTES }: FrameDecoderOptions) {
    this.#onFrame = onFrame
    this.#maxFrameBytes = maxFrameBytes
  }

  push(chunk: Uint8Array): void {
    if (this.#broken !== undefined) throw this.#broken
    try {
      this.#consume(toBuffer(chunk))
    } catch (error) {
      this.#broken = error
      throw error
    }
  }

  end(): void {
    if (this.#broken !== undefined) throw this.#broken
    if (this.#gathered === 0 && this.#partial === undefined) return
    this.#broken = new FrameError('FRAME_TRUNCATED', 'The connection ended inside a frame.')
    throw this.#broken
  }

  #consume(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#partial !== undefined) at = this.#fill(this.#partial, chunk, at)
      else if (this.#gathered > 0) at = this.#gatherMore(chunk, at)
      else at = this.#takeWhole(chunk, at)
    }
  }

  /** The common case: the frame lies inside the chunk and is used where it lies. */
  #takeWhole(chunk: Buffer, at: number): number {
    const available = chunk.length - at
    if (available >= LENGTH_BYTES) {
      const end = at + LENGTH_BYTES + this.#checkedLength(chunk.readUInt32LE(at))
      if (end <= chunk.length) {
        this.#onFrame(sliceFrame(chunk, at, end))
        return end
      }
    }
    return this.#gatherMore(chunk, at)
  }

  #gatherMore(chunk: Buffer, at: number): number {
    const wanted = this.#wantedBytes()
    const end = Math.min(chunk.length, at + wanted - this.#gathered)
    this.#reserve(wanted)
    chunk.copy(this.#gather, this.#gathered, at, end)
    this.#gathered += end - at
    if (this.#gathered === wanted && this.#wantedBytes() === wanted) this.#completeGathered()
    return end
  }

  /** How many bytes must be gathered before something can be decided; grows as more of the header is known. */
  #wantedBytes(): number {
    if (this.#gathered < LENGTH_BYTES) return LENGTH_BYTES
    const bytes = LENGTH_BYTES + this.#checkedLength(this.#gather.readUInt32LE(0))
    if (bytes <= WHOLE_FRAME_BYTES) return bytes
    if (this.#gathered < FRAME_HEADER_BYTES) return FRAME_HEADER_BYTES
    return tableEnd(this.#gather, 0, bytes)
  }

  #completeGathered(): void {
    const bytes = LENGTH_BYTES + this.#gather.readUInt32LE(0)
    this.#gathered = 0
    if (bytes <= WHOLE_FRAME_BYTES) this.#onFrame(sliceFrame(Buffer.from(this.#gather.subarray(0, bytes)), 0, bytes))
    else this.#fill((this.#partial = startPartialFrame(this.#gather, bytes)), EMPTY, 0)
  }

  #fill(partial: PartialFrame, chunk: Buffer, start: number): number {
    let at = start
    for (;;) {
      const target = partial.targets[partial.index]
      if (target === undefined) break
      const copied = chunk.copy(target, partial.offset, at)
      at += copied
      partial.offset += copied
      if (partial.offset < target.length) return at
      partial.index += 1
      partial.offset = 0
    }
    this.#partial = undefined
    const [head, ...parts] = partial.targets
    if (head !== undefined) this.#onFrame({ type: partial.type, id: partial.id, head, parts })
    return at
  }

  #checkedLength(length: number): number {
    if (length > this.#maxFrameBytes) throw frameTooLarge(length, this.#maxFrameBytes)
    if (length < FRAME_HEADER_BYTES - LENGTH_BYTES) throw frameMalformed(`a length of ${length}`)
    return length
  }

  #reserve(bytes: number): void {
    if (this.#gather.length >= bytes) return
    const larger = Buffer.allocUnsafe(Math.max(bytes, this.#gather.length * 2))
    this.#gather.copy(larger, 0, 0, this.#gathered)
    this.#gather = larger
  }
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Where the table of part lengths ends, checked against the frame's own end. */
function tableEnd(bytes: Buffer, start: number, end: number): number {
  const parts = bytes.readUInt32LE(start + 9)
  const at = start + FRAME_HEADER_BYTES + 4 * parts
  if (at > end) throw frameMalformed('its table of parts is longer than the frame')
  if (parts > MOST_PARTS) throw frameMalformed(`more than ${MOST_PARTS} parts`)
  return at
}

function sliceFrame(bytes: Buffer, start: number, end: number): Frame {
  const type = bytes.readUInt8(start + 4)
  const id = bytes.readUInt32LE(start + 5)
  const head = tableEnd(bytes, start, end)
  if (head === start + FRAME_HEADER_BYTES) return { type, id, head: bytes.subarray(head, end), parts: [] }
  const lengths = readPartLengths(bytes, start, head)
  let at = head + headLength(lengths, end - head)
  const parts: Buffer[] = []
  const frame: Frame = { type, id, head: bytes.subarray(head, at), parts }
  for (const length of lengths) {
    parts.push(bytes.subarray(at, at + length))
    at += length
  }
  return frame
}

function startPartialFrame(header: Buffer, bytes: number): PartialFrame {
  const table = tableEnd(header, 0, bytes)
  const lengths = readPartLengths(header, 0, table)
  const sizes = [headLength(lengths, bytes - table), ...lengths]
  const targets = allocateTargets(sizes)
  return { type: header.readUInt8(4), id: header.readUInt32LE(5), targets, index: 0, offset: 0 }
}

/** Large parts get memory of their own, small ones share it: to make an ArrayBuffer takes longer than to copy them later. */
function allocateTargets(sizes: readonly number[]): readonly Buffer[] {
  let small = 0
  for (const size of sizes) if (size < OWN_MEMORY_BYTES) small += size
  const memory = Buffer.allocUnsafeSlow(small)
  let at = 0
  return sizes.map((size) => {
    if (size >= OWN_MEMORY_BYTES) return Buffer.allocUnsafeSlow(size)
    at += size
    return memory.subarray(at - size, at)
  })
}

function readPartLengths(bytes: Buffer, start: number, end: number): number[] {
  const lengths: number[] = []
  for (let at = start + FRAME_HEADER_BYTES; at < end; at += 4) lengths.push(bytes.readUInt32LE(at))
  return lengths
}

function headLength(partLengths: readonly number[], available: number): number {
  let length = available
  for (const part of partLengths) length -= part
  if (length < 0) throw frameMalformed('its parts are longer than the frame')
  return length
}
