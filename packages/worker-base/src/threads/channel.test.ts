import { availableParallelism } from 'node:os'

import { describe, expect, it, vi } from 'vitest'

import { toFrame } from '../wire/frame-batch.ts'
import { parseMessage } from '../wire/message-codec.ts'
import type { Message } from '../wire/messages.ts'
import { createChannelEnds, createFrameChannel } from './channel.ts'
import type { FrameChannel } from './channel.ts'

interface Pair extends Disposable {
  readonly near: FrameChannel
  readonly far: FrameChannel
  /** Resolves with the messages that arrived at the far end, when there are that many. */
  arrived(count: number): Promise<readonly Message[]>
}

function createPair(): Pair {
  const ends = createChannelEnds()
  const messages: Message[] = []
  let check = (): void => undefined
  const far = createFrameChannel(ends.far, (frame) => {
    messages.push(parseMessage(frame))
    check()
  })
  const near = createFrameChannel(ends.near, () => undefined)
  return {
    near,
    far,
    arrived: (count) =>
      new Promise((resolve) => {
        check = () => {
          if (messages.length >= count) resolve(messages)
        }
        check()
      }),
    [Symbol.dispose]() {
      near.close()
      far.close()
    },
  }
}

function result(id: number, text: string, parts: readonly Uint8Array[] = []): Message {
  return { kind: 'result', id, value: { format: 'devalue', text, parts } }
}

describe('channel', () => {
  it('carries small and large messages in order', async () => {
    using pair = createPair()
    const sizes = [1, 200_000, 5, 0, 70_000, 3_000_000, 2]
    sizes.forEach((size, id) => pair.near.send(result(id, 'x'.repeat(id), [new Uint8Array(size).fill(id)])))
    const messages = await pair.arrived(sizes.length)
    expect(messages.map((message) => [message.id, 'value' in message ? message.value.parts[0]?.length : -1])).toEqual(
      sizes.map((size, id) => [id, size]),
    )
  })

  it('moves the memory of large parts instead of copying it', async () => {
    using pair = createPair()
    const part = new Uint8Array(1_000_000).fill(9)
    pair.near.send(result(1, '-1', [part]))
    const [message] = await pair.arrived(1)
    expect(part.byteLength).toBe(0)
    expect(message !== undefined && 'value' in message && message.value.parts[0]?.at(-1)).toBe(9)
  })

  it('says when the other side is slow, and loses nothing', async () => {
    using pair = createPair()
    const count = 200
    for (let id = 0; id < count; id += 1) pair.near.send(result(id, 'y'.repeat(20_000)))
    expect(pair.near.isFull).toBe(true)
    const drained = pair.near.whenDrained()
    expect((await pair.arrived(count)).map(({ id }) => id)).toEqual(Array.from({ length: count }, (_, id) => id))
    await drained
    expect(pair.near.isFull).toBe(false)
  })

  it('held, leaves the other side asleep until it is woken or looks by itself', async () => {
    using pair = createPair()
    // Both ends fall asleep first.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    pair.near.isHeld = true
    pair.near.send(result(1, '-1'))
    pair.far.poll()
    expect(await pair.arrived(1)).toHaveLength(1)
    pair.near.send(result(2, '-1'))
    pair.near.wake()
    expect(await pair.arrived(2)).toHaveLength(2)
  })

  it.skipIf(availableParallelism() === 1)(
    'finds an answer without being woken when the one before was quick',
    async () => {
      const ends = createChannelEnds()
      let answered = (): void => undefined
      const near = createFrameChannel(ends.near, () => answered())
      const far = createFrameChannel(ends.far, (frame) => far.sendFrame(frame, frame.id))
      const wakeups = vi.spyOn(ends.far.wakeups, 'postMessage')
      const call = async (): Promise<void> => {
        const answer = new Promise<void>((resolve) => (answered = resolve))
        near.sendFrame(toFrame(result(1, '-1')), 1)
        await answer
      }
      // Both ends fall asleep first.
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
      await call()
      expect(wakeups).toHaveBeenCalledOnce()
      for (let count = 0; count < 1000; count += 1) await call()
      expect(wakeups.mock.calls.length).toBeLessThan(250)
      near.close()
      far.close()
    },
  )
})
