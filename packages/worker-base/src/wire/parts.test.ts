import { describe, expect, it } from 'vitest'

import { createChannelEnds, createFrameChannel } from '../threads/channel.ts'
import { createFrameDecoder } from './frame-decoder.ts'
import { FrameError, MOST_PARTS } from './frame.ts'
import type { Frame } from './frame.ts'
import { ValueTooLargeError } from './unsendable.ts'
import { encodeValue } from './values.ts'

function toWideFrame(parts: number, length: number): Buffer {
  const bytes = Buffer.alloc(13 + parts * (4 + length))
  bytes.writeUInt32LE(bytes.length - 4, 0)
  bytes.writeUInt8(3, 4)
  bytes.writeUInt32LE(1, 5)
  bytes.writeUInt32LE(parts, 9)
  for (let part = 0; part < parts; part += 1) bytes.writeUInt32LE(length, 13 + 4 * part)
  return bytes
}

describe('a frame of many parts', () => {
  it('is refused when their number alone would fill the memory', () => {
    const decoder = createFrameDecoder({ onFrame: () => undefined })
    expect(() => decoder.push(toWideFrame(4_000_000, 0))).toThrow(FrameError)
  })

  it('is not made', () => {
    const value = Array.from({ length: MOST_PARTS + 1 }, () => new Uint8Array(0))
    expect(() => encodeValue(value)).toThrow(ValueTooLargeError)
    expect(() => encodeValue(value)).toThrow(`${MOST_PARTS + 1} binary parts or more`)
  })

  it('is read, and passed from thread to thread, in a time that grows with their number alone', async () => {
    const frames: Frame[] = []
    const parts = 60_000
    createFrameDecoder({ onFrame: (frame) => frames.push(frame) }).push(toWideFrame(parts, 3))
    const ends = createChannelEnds()
    const start = performance.now()
    const received = await new Promise<Frame>((resolve) => {
      createFrameChannel(ends.far, resolve)
      for (const frame of frames) createFrameChannel(ends.near, () => undefined).sendFrame(frame, 1)
    })
    for (const end of [ends.near, ends.far]) {
      end.wakeups.close()
      end.attachments.close()
    }
    expect(received.parts.map(({ length }) => length)).toEqual(Array.from({ length: parts }, () => 3))
    // Moved one by one they took 15 s.
    expect(performance.now() - start).toBeLessThan(4000)
  })
})
