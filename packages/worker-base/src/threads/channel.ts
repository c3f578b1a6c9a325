import { availableParallelism } from 'node:os'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'

import { nextTick, performance, setImmediate } from '../clock.ts'
import { createFrameBatch, toFrame } from '../wire/frame-batch.ts'
import { createFrameDecoder } from '../wire/frame-decoder.ts'
import type { Frame } from '../wire/frame.ts'
import type { Message } from '../wire/messages.ts'
import { fromAttached, parseAttached, toAttached } from './attached.ts'
import {
  createRingMemory,
  fallAsleep,
  mustWakeReader,
  mustWakeWriter,
  readRing,
  stayAwake,
  waitForRoom,
  writeRing,
} from './ring.ts'
import type { RingMemory } from './ring.ts'

/** Frames above this do not go through the ring: their memory changes hands instead. */
const ATTACHED_BYTES = 64 * 1024
/** Stands in the ring for a frame whose memory changed hands, so that the order is kept. */
const ATTACHED_TYPE = 255
/** More bytes than this waiting for room in the ring: the reader is slower than the writer. */
const FULL_BYTES = 256 * 1024
/** An answer within this time, wake-ups included, is a quick one. */
const QUICK_MS = 0.2
/** While calls go one at a time and are quick, a thread stays awake for so long after the last frame. */
const AWAKE_MS = 0.1
/** On a single core it would keep the other thread from answering. */
const CAN_STAY_AWAKE = availableParallelism() > 1

/** What one thread needs to talk to the other; can be sent in `workerData`. */
export interface ChannelEnd {
  readonly incoming: RingMemory
  readonly outgoing: RingMemory
  /** Carries wake-ups only. */
  readonly wakeups: MessagePort
  readonly attachments: MessagePort
}

export function createChannelEnds(): { readonly near: ChannelEnd; readonly far: ChannelEnd } {
  const [toFar, toNear] = [createRingMemory(), createRingMemory()]
  const [wakeups, attachments] = [new MessageChannel(), new MessageChannel()]
  return {
    near: { incoming: toNear, outgoing: toFar, wakeups: wakeups.port1, attachments: attachments.port1 },
    far: { incoming: toFar, outgoing: toNear, wakeups: wakeups.port2, attachments: attachments.port2 },
  }
}

/** Frames between two threads of one process. */
export interface FrameChannel {
  send(message: Message): void
  /**
   * Passes on a received frame under another id, at the end of this tick together with others. Its parts may be moved:
   * the frame must not be used any more.
   */
  sendFrame(frame: Frame, id: number): void
  /** Hands over what has arrived, at once. */
  poll(): void
  /** While held, the other thread is not woken for what is sent: it finds it when it looks by itself, or at `wake`. */
  isHeld: boolean
  /** Wakes the other thread if it sleeps. */
  wake(): void
  readonly isFull: boolean
  whenDrained(): Promise<void>
  close(): void
}

export function createFrameChannel(end: ChannelEnd, onFrame: (frame: Frame) => void): FrameChannel {
  return new RingChannel(end, onFrame)
}

class RingChannel implements FrameChannel {
  readonly #end: ChannelEnd
  readonly #decoder
  readonly #batch = createFrameBatch()
  /** What found no room in the ring. */
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #onDrained: (() => void)[] = []
  #isScheduled = false
  #isLooking = false
  /** When frames were last passed on, and when any last went or came. */
  #passedMs = 0
  #activeMs = 0
  /** Frames passed on in this tick. */
  #passed = 0
  #isLone = false
  #isQuick = false
  isHeld = false

  constructor(end: ChannelEnd, onFrame: (frame: Frame) => void) {
    this.#end = end
    this.#decoder = createFrameDecoder({
      onFrame: (frame) => onFrame(frame.type === ATTACHED_TYPE ? this.#takeAttached() : frame),
    })
    end.wakeups.on('message', () => {
      this.#pushWaiting()
      this.#pollUntilQuiet()
    })
    this.#pollUntilQuiet()
  }

  send(message: Message): void {
    if ('value' in message && isLarge(message.value.parts, message.value.text.length)) this.#attach(toFrame(message))
    else this.#batch.add(message)
    this.#flush()
  }

  sendFrame(frame: Frame, id: number): void {
    if (isLarge(frame.parts, frame.head.length)) this.#attach({ ...frame, id })
    else this.#batch.addFrame(frame, id)
    this.#passed += 1
    if (this.#isScheduled) return
    this.#isScheduled = true
    nextTick(() => {
      this.#flush()
      this.#expectAnswer()
    })
  }

  poll(): void {
    const bytes = readRing(this.#end.incoming)
    if (bytes === undefined) return
    this.#activeMs = performance.now()
    this.#isQuick = CAN_STAY_AWAKE && this.#activeMs < this.#passedMs + QUICK_MS
    if (mustWakeWriter(this.#end.incoming)) this.#end.wakeups.postMessage(0)
    this.#decoder.push(bytes)
  }

  wake(): void {
    if (mustWakeReader(this.#end.outgoing)) this.#end.wakeups.postMessage(0)
  }

  get isFull(): boolean {
    return this.#waitingBytes > FULL_BYTES
  }

  whenDrained(): Promise<void> {
    if (!this.isFull) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onDrained.push(resolve)
    })
  }

  close(): void {
    this.#end.wakeups.close()
    this.#end.attachments.close()
  }

  /** Frames often come in swarms: looking once more before sleeping saves most of the wake-ups. */
  #pollUntilQuiet(): void {
    this.poll()
    if (this.#isLooking) return
    this.#isLooking = true
    setImmediate(() => this.#look())
  }

  #look(): void {
    this.poll()
    if (this.#isLone && this.#isQuick && performance.now() < this.#activeMs + AWAKE_MS) {
      setImmediate(() => this.#look())
      return
    }
    this.#isLooking = false
    while (!fallAsleep(this.#end.incoming)) this.poll()
  }

  /**
   * Waking a thread takes as long as a tiny call. When the last one was quick, the answer and the call that follows it
   * find this thread awake. The event loop goes round meanwhile, so that sockets are read as ever.
   */
  #expectAnswer(): void {
    this.#passedMs = performance.now()
    this.#activeMs = this.#passedMs
    this.#isLone = this.#passed === 1
    this.#passed = 0
    if (!this.#isLone || !this.#isQuick) return
    stayAwake(this.#end.incoming)
    this.#pollUntilQuiet()
  }

  #flush(): void {
    this.#isScheduled = false
    for (const chunk of this.#batch.take()) {
      this.#waiting.push(chunk)
      this.#waitingBytes += chunk.length
    }
    this.#pushWaiting()
  }

  #pushWaiting(): void {
    while (this.#pushSome()) continue
    if (this.isFull || this.#onDrained.length === 0) return
    const resolvers = this.#onDrained
    this.#onDrained = []
    for (const resolve of resolvers) resolve()
  }

  /** Moves bytes into the ring; false when nothing is left, or there is no room and the reader will wake us. */
  #pushSome(): boolean {
    const ring = this.#end.outgoing
    const [chunk] = this.#waiting
    if (chunk === undefined) return false
    let count = writeRing(ring, chunk)
    if (count === 0) {
      waitForRoom(ring)
      count = writeRing(ring, chunk)
    }
    if (!this.isHeld || count === 0) this.wake()
    if (count === 0) return false
    this.#waitingBytes -= count
    if (count === chunk.length) this.#waiting.shift()
    else this.#waiting[0] = chunk.subarray(count)
    return true
  }

  #attach(frame: Frame): void {
    const { attached, moved } = toAttached(frame)
    this.#end.attachments.postMessage(attached, moved)
    this.#batch.addFrame({ type: ATTACHED_TYPE, id: frame.id, head: Buffer.alloc(0), parts: [] }, frame.id)
  }

  #takeAttached(): Frame {
    const received = receiveMessageOnPort(this.#end.attachments)
    if (received === undefined) throw new Error('A frame was announced whose memory did not arrive.')
    return fromAttached(parseAttached(received.message))
  }
}

function isLarge(parts: readonly Uint8Array[], headBytes: number): boolean {
  let bytes = headBytes
  for (const part of parts) bytes += part.length
  return bytes > ATTACHED_BYTES
}
