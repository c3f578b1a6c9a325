import { createHash } from 'node:crypto'
import { PassThrough } from 'node:stream'

import { describe, expect, it } from 'vitest'

import { FRAME_HEADER_BYTES, FrameError } from './frame.ts'
import type { Frame } from './frame.ts'
import { createFrameBatch } from './frame-batch.ts'
import { createFrameDecoder } from './frame-decoder.ts'
import { createFrameWriter } from './frame-writer.ts'
import { parseMessage } from './message-codec.ts'
import { LOST_REASONS, OUTCOME_KINDS, RESULT_FORMS, STREAM_EVENTS } from './messages.ts'
import type { Message } from './messages.ts'
import { createRandom } from '../../test/random.ts'
import type { Random } from '../../test/random.ts'

const value = { format: 'json', text: '[1,"ä"]', parts: [] } as const
const binary = {
  format: 'devalue',
  text: '[["ArrayBuffer",1],1]',
  parts: [Uint8Array.of(1, 2), new Uint8Array(0)],
} as const
const lost = { started: true, detail: 'why', reason: 'exit' } as const
const call = {
  kind: 'call',
  id: 1,
  liftId: '',
  captures: 0,
  attempt: 1,
  timeoutMs: 0,
  results: 'whole',
  value,
} as const

const messages: readonly Message[] = [
  ...RESULT_FORMS.map((results): Message => ({
    ...call,
    liftId: 'src/ä.ts#f',
    captures: 2,
    attempt: 3,
    timeoutMs: 4_000_000_000,
    results,
  })),
  { ...call, id: 0xffff_ffff, value: binary },
  { ...call, id: 3, liftId: 'a#ü', carrier: { traceparent: '00-ä', empty: '' } },
  { kind: 'cancel', id: 2, graceMs: 500, value },
  { kind: 'credit', id: 3, items: 16 },
  { kind: 'return', id: 4 },
  { kind: 'recall', id: 4 },
  { kind: 'opened', id: 4, value: binary },
  ...OUTCOME_KINDS.map((answer): Message => ({ kind: 'outcome', id: 4, index: 70_000, answer, value: binary })),
  ...STREAM_EVENTS.map((event, index): Message => ({
    kind: 'stream',
    id: 5,
    stream: index * 16_000,
    event,
    items: 7,
    value,
  })),
  { kind: 'unshare', id: 0, key: 'a key' },
  { kind: 'share', id: 0, key: 'a key', value: { format: 'devalue', text: '[1]', parts: [Uint8Array.of(1, 2, 3)] } },
  { kind: 'drain', id: 0 },
  { kind: 'draining', id: 0 },
  { kind: 'ping', id: 5 },
  { kind: 'pong', id: 6 },
  { kind: 'hello', id: 0, hello: { workerId: 'w', build: 'b', slots: 2, pid: 3, maxFrameBytes: 4 } },
  { kind: 'result', id: 7, value: binary },
  { kind: 'error', id: 8, value },
  { kind: 'item', id: 9, value },
  { kind: 'end', id: 10, value },
  { kind: 'failed', id: 0, value },
  { kind: 'log', id: 11, log: { stream: 'stderr', executor: 1, text: 'line\nline', dropped: 7 } },
  ...LOST_REASONS.map((reason): Message => ({ kind: 'lost', id: 12, lost: { ...lost, reason } })),
  { kind: 'lost', id: 13, lost: { ...lost, reason: 'unsendable', path: 'result.a' } },
]

function encode(list: readonly Message[]): Buffer {
  const batch = createFrameBatch()
  for (const message of list) batch.add(message)
  return Buffer.concat(batch.take())
}

function decode(chunks: Iterable<Uint8Array>): Message[] {
  const decoded: Message[] = []
  const decoder = createFrameDecoder({ onFrame: (frame) => decoded.push(plain(parseMessage(frame))) })
  for (const chunk of chunks) decoder.push(chunk)
  decoder.end()
  return decoded
}

/** Buffers and Uint8Arrays with the same bytes compare as equal. */
function plain(message: Message): Message {
  if (!('value' in message)) return message
  return { ...message, value: { ...message.value, parts: message.value.parts.map((part) => Uint8Array.from(part)) } }
}

function* cut(bytes: Buffer, random: Random): Generator<Buffer> {
  for (let at = 0; at < bytes.length;) {
    const size = random.integer(random.integer(3) === 0 ? 20_000 : 12)
    yield bytes.subarray(at, at + size)
    at += size
  }
}

describe('messages', () => {
  it.each(messages.map((message) => [`${message.kind} ${message.id}`, message] as const))('%s', (_name, message) => {
    expect(decode([encode([message])])).toEqual([message])
  })

  it('arrive in order from one batch', () => {
    expect(decode([encode(messages)])).toEqual(messages)
  })

  it('carry texts of any length', () => {
    const texts = ['', 'ä'.repeat(4096), 'ä'.repeat(4097), '\u{1f600}'.repeat(200_000)]
    const list = texts.map((text, id): Message => ({ kind: 'result', id, value: { format: 'json', text, parts: [] } }))
    expect(decode([encode(list)])).toEqual(list)
  })

  it('are refused above the limit, and the batch goes on', () => {
    const batch = createFrameBatch(1000)
    const large: Message = { kind: 'result', id: 1, value: { ...value, parts: [new Uint8Array(1000)] } }
    expect(() => batch.add(large)).toThrow(expect.objectContaining({ code: 'FRAME_TOO_LARGE' }))
    batch.add({ kind: 'ping', id: 2 })
    expect(decode(batch.take())).toEqual([{ kind: 'ping', id: 2 }])
  })
})

describe('decoder', () => {
  it('takes single bytes', () => {
    expect(decode(Array.from(encode(messages), (byte) => Buffer.of(byte)))).toEqual(messages)
  })

  it('gives large parts memory of their own, ready to be transferred', () => {
    const part = new Uint8Array(300_000).fill(5)
    const bytes = encode([{ kind: 'result', id: 1, value: { ...value, parts: [part, part.subarray(0, 10)] } }])
    const frames: Frame[] = []
    const decoder = createFrameDecoder({ onFrame: (frame) => frames.push(frame) })
    for (let at = 0; at < bytes.length; at += 65_536) decoder.push(bytes.subarray(at, at + 65_536))
    expect(frames[0]?.parts[0]?.buffer.byteLength).toBe(300_000)
    expect(frames[0]?.parts[1]).toHaveLength(10)
    expect(Uint8Array.from(frames[0]?.parts[0] ?? [])).toEqual(part)
  })

  it('finishes a large frame that has nothing but empty parts', () => {
    const parts = Array.from({ length: 20_000 }, () => new Uint8Array(0))
    const message: Message = { kind: 'result', id: 1, value: { ...value, parts } }
    expect(decode([encode([message])])).toEqual([message])
    expect(decode(cut(encode([message]), createRandom(1)))).toEqual([message])
  })

  it('tells that the stream ended inside a frame', () => {
    const bytes = encode([{ kind: 'result', id: 1, value: { ...value, parts: [new Uint8Array(100_000)] } }])
    for (const length of [1, 5, FRAME_HEADER_BYTES + 2, 40, 90_000]) {
      expect(() => decode([bytes.subarray(0, length)])).toThrow(expect.objectContaining({ code: 'FRAME_TRUNCATED' }))
    }
  })

  const garbage: readonly (readonly [string, string, Buffer])[] = [
    ['a huge length', 'FRAME_TOO_LARGE', Buffer.alloc(100, 0xff)],
    ['an HTTP answer', 'FRAME_TOO_LARGE', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a length below the header', 'FRAME_MALFORMED', Buffer.alloc(100, 0)],
    ['a table longer than the frame', 'FRAME_MALFORMED', frameOf({ parts: 5, bytes: 9 })],
    ['a table longer than a large frame', 'FRAME_MALFORMED', frameOf({ parts: 50_000, bytes: 100_000 })],
    ['parts longer than the frame', 'FRAME_MALFORMED', frameOf({ parts: 1, bytes: 13, part: 1 })],
    ['parts longer than a large frame', 'FRAME_MALFORMED', frameOf({ parts: 1, bytes: 100_000, part: 100_000 })],
    ['millions of empty parts', 'FRAME_MALFORMED', frameOf({ parts: 4_000_000, bytes: 16_000_009 })],
    ['an unknown type', 'FRAME_MALFORMED', frameOf({ parts: 0, bytes: 9, type: 99 })],
    ['a result without a value', 'FRAME_MALFORMED', frameOf({ parts: 0, bytes: 9 })],
    ['a call without fields', 'FRAME_MALFORMED', frameOf({ parts: 0, bytes: 9, type: 1 })],
    ['a credit without a number', 'FRAME_MALFORMED', frameOf({ parts: 0, bytes: 9, type: 7 })],
    ['a lost call without fields', 'FRAME_MALFORMED', frameOf({ parts: 0, bytes: 9, type: 15 })],
  ]
  it.each(garbage)('refuses %s, again and again', (_name, code, bytes) => {
    const decoder = createFrameDecoder({ onFrame: parseMessage })
    for (const chunk of [bytes, bytes, Buffer.of(1)]) {
      expect(() => decoder.push(chunk)).toThrow(expect.objectContaining({ name: 'FrameError', code }))
    }
  })
})

function frameOf(shape: { parts: number; bytes: number; type?: number; part?: number }): Buffer {
  const bytes = Buffer.alloc(shape.bytes + 4)
  bytes.writeUInt32LE(shape.bytes, 0)
  bytes.writeUInt8(shape.type ?? 3, 4)
  bytes.writeUInt32LE(shape.parts, 9)
  if (shape.part !== undefined) bytes.writeUInt32LE(shape.part, 13)
  return bytes
}

describe('decoder, fuzzed by seed', () => {
  const seeds = Array.from({ length: 300 }, (_, seed) => seed + 1)

  it('gives the same messages however the bytes are cut', () => {
    for (const seed of seeds) {
      const random = createRandom(seed)
      const list = randomMessages(random)
      expect(summarize(decode(cut(encode(list), random))), `seed ${seed}`).toEqual(summarize(list))
    }
  })

  it('answers cut, doubled, flipped and inserted bytes with messages or a FrameError, nothing else', () => {
    for (const seed of seeds) {
      const random = createRandom(seed)
      const bytes = damage(encode(randomMessages(random)), random)
      try {
        decode(cut(bytes, random))
      } catch (error) {
        expect(error, `seed ${seed}`).toBeInstanceOf(FrameError)
      }
    }
  })
})

/** Comparing byte by byte takes too long. */
function summarize(list: readonly Message[]): readonly unknown[] {
  return list.map((message) => {
    const parts = 'value' in message ? message.value.parts : []
    const digests = parts.map((part) => `${part.length}:${createHash('sha1').update(part).digest('hex')}`)
    return 'value' in message ? { ...message, value: { ...message.value, parts: digests } } : message
  })
}

function randomMessages(random: Random): Message[] {
  return Array.from({ length: random.integer(12) }, (_, id): Message => {
    const size = random.integer(20) === 0 ? 100_000 : 300
    const parts = Array.from({ length: random.integer(4) }, () => random.bytes(random.integer(size)))
    const text = random.bytes(random.integer(size)).toString('base64')
    const message = messages[random.integer(messages.length)] ?? { kind: 'ping', id }
    return 'value' in message ? { ...message, value: { format: 'devalue', text, parts: parts.map(toPlain) } } : message
  })
}

function toPlain(bytes: Buffer): Uint8Array {
  return Uint8Array.from(bytes)
}

function damage(bytes: Buffer, random: Random): Buffer {
  const at = random.integer(bytes.length + 1)
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
  switch (random.integer(4)) {
    case 0:
      return before
    case 1:
      return Buffer.concat([before, before, after])
    case 2:
      return Buffer.concat([before, random.bytes(random.integer(30)), after])
    default:
      return Buffer.concat([before, after.map((byte) => (random.integer(50) === 0 ? byte ^ 0x41 : byte))])
  }
}

describe('writer', () => {
  it('sends all frames of a tick in one write', async () => {
    const stream = new PassThrough()
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    const writer = createFrameWriter(stream)
    for (const message of messages) writer.send(message)
    await new Promise((resolve) => stream.once('data', resolve))
    expect(chunks).toHaveLength(1)
    expect(decode(chunks)).toEqual(messages)
  })

  it('tells when the receiver is slower, and when it is not any more', async () => {
    const stream = new PassThrough({ highWaterMark: 1000 })
    const writer = createFrameWriter(stream)
    writer.send({ kind: 'result', id: 1, value: { ...value, parts: [new Uint8Array(5000)] } })
    writer.flush()
    expect(writer.isFull).toBe(true)
    expect(writer.pendingBytes).toBeGreaterThanOrEqual(5000)
    const drained = writer.whenDrained()
    stream.resume()
    await drained
    expect(writer.isFull).toBe(false)
    await writer.whenDrained()
  })

  it('keeps nobody waiting on a closed stream, and drops what comes after', async () => {
    const stream = new PassThrough({ highWaterMark: 10 })
    const writer = createFrameWriter(stream)
    writer.send({ kind: 'result', id: 1, value: { ...value, parts: [new Uint8Array(5000)] } })
    writer.flush()
    const drained = writer.whenDrained()
    stream.destroy()
    await drained
    writer.send({ kind: 'ping', id: 1 })
    writer.flush()
    await writer.whenDrained()
  })
})
