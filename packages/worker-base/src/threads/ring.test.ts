import { describe, expect, it } from 'vitest'

import { createRandom } from '../../test/random.ts'
import {
  createRingMemory,
  fallAsleep,
  isRingEmpty,
  mustWakeReader,
  mustWakeWriter,
  readRing,
  waitForRoom,
  writeRing,
} from './ring.ts'

describe('ring', () => {
  it('gives what was written, across its end, for any sizes', () => {
    const ring = createRingMemory(256)
    const random = createRandom(7)
    const written: Buffer[] = []
    const read: Buffer[] = []
    for (let turn = 0; turn < 2000; turn += 1) {
      const bytes = random.bytes(random.integer(100))
      written.push(bytes.subarray(0, writeRing(ring, bytes)))
      if (random.integer(3) === 0) read.push(readRing(ring) ?? Buffer.alloc(0))
    }
    read.push(readRing(ring) ?? Buffer.alloc(0))
    expect(Buffer.compare(Buffer.concat(read), Buffer.concat(written))).toBe(0)
    expect(isRingEmpty(ring)).toBe(true)
  })

  it('keeps its positions when they pass 2^31 and 2^32', () => {
    const ring = createRingMemory(256)
    for (const position of [0x7fff_fff0, 0xffff_fff0]) {
      ring.control.fill(position | 0, 0, 2)
      expect(writeRing(ring, Buffer.alloc(200, 1))).toBe(200)
      expect(writeRing(ring, Buffer.alloc(200, 2))).toBe(56)
      expect(readRing(ring)).toEqual(Buffer.concat([Buffer.alloc(200, 1), Buffer.alloc(56, 2)]))
    }
  })

  it('wakes a sleeping reader once, and one that missed bytes not at all', () => {
    const ring = createRingMemory(256)
    expect(mustWakeReader(ring)).toBe(false)
    expect(fallAsleep(ring)).toBe(true)
    writeRing(ring, Buffer.of(1))
    expect([mustWakeReader(ring), mustWakeReader(ring)]).toEqual([true, false])
    expect(fallAsleep(ring)).toBe(false)
    expect(readRing(ring)).toEqual(Buffer.of(1))
    expect(fallAsleep(ring)).toBe(true)
  })

  it('wakes a writer that waits for room once', () => {
    const ring = createRingMemory(256)
    expect(mustWakeWriter(ring)).toBe(false)
    waitForRoom(ring)
    expect([mustWakeWriter(ring), mustWakeWriter(ring)]).toEqual([true, false])
  })
})
