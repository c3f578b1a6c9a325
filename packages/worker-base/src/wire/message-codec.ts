import { FRAME_TYPE, frameMalformed } from './frame.ts'
import type { Frame } from './frame.ts'
import { parseHello, parseJson, parseLog, parseLost } from './json-fields.ts'
import { OUTCOME_KINDS, RESULT_FORMS, STREAM_EVENTS } from './messages.ts'
import type { CallMessage, Message, OutcomeMessage, StreamMessage } from './messages.ts'
import type { WireValue } from './values.ts'

const FORMAT_BYTES = 1
const CALL_FIELD_BYTES = 11
const STREAM_FIELD_BYTES = 7
const OUTCOME_FIELD_BYTES = 5
/** UTF-8 needs at most this many bytes for a UTF-16 unit. */
const MAX_BYTES_PER_UNIT = 3
/** Above this the exact length of a text is counted before room is made for it. */
const COUNTED_UNITS = 4096

/** An upper bound of what `writeHead` writes, tight for long texts. */
export function maxHeadBytes(message: Message): number {
  switch (message.kind) {
    case 'call':
      return CALL_FIELD_BYTES + toTarget(message).length * MAX_BYTES_PER_UNIT + maxValueBytes(message.value)
    case 'cancel':
      return 4 + maxValueBytes(message.value)
    case 'result':
    case 'error':
    case 'item':
    case 'end':
    case 'opened':
    case 'failed':
      return maxValueBytes(message.value)
    case 'outcome':
      return OUTCOME_FIELD_BYTES + maxValueBytes(message.value)
    case 'stream':
      return STREAM_FIELD_BYTES + maxValueBytes(message.value)
    case 'share':
      return 1 + maxTextBytes(message.key) + maxValueBytes(message.value)
    case 'unshare':
      return 1 + maxTextBytes(message.key)
    case 'credit':
      return 4
    case 'hello':
      return maxTextBytes(JSON.stringify(message.hello))
    case 'lost':
      return maxTextBytes(JSON.stringify(message.lost))
    case 'log':
      return maxTextBytes(JSON.stringify(message.log))
    default:
      return 0
  }
}

/** Writes the fields and the text of a message, and tells where they end. */
export function writeHead(slab: Buffer, start: number, message: Message): number {
  switch (message.kind) {
    case 'call':
      return writeCall(slab, start, message)
    case 'cancel':
      return writeValue(slab, slab.writeUInt32LE(message.graceMs, start), message.value)
    case 'result':
    case 'error':
    case 'item':
    case 'end':
    case 'opened':
    case 'failed':
      return writeValue(slab, start, message.value)
    case 'outcome':
      return writeOutcome(slab, start, message)
    case 'stream':
      return writeStream(slab, start, message)
    case 'share':
      return writeValue(slab, writeShareKey(slab, start, message.key), message.value)
    case 'unshare':
      return writeShareKey(slab, start, message.key)
    case 'credit':
      return slab.writeUInt32LE(message.items, start)
    case 'hello':
      return start + slab.write(JSON.stringify(message.hello), start)
    case 'lost':
      return start + slab.write(JSON.stringify(message.lost), start)
    case 'log':
      return start + slab.write(JSON.stringify(message.log), start)
    default:
      return start
  }
}

/**
 * Reads the fields of a received frame.
 * @throws FrameError `FRAME_MALFORMED`
 */
export function parseMessage(frame: Frame): Message {
  const { id, head } = frame
  switch (frame.type) {
    case FRAME_TYPE.call:
      return parseCall(frame)
    case FRAME_TYPE.cancel:
      return { kind: 'cancel', id, graceMs: readU32(head, 0), value: parseValue(frame, 4) }
    case FRAME_TYPE.result:
      return { kind: 'result', id, value: parseValue(frame, 0) }
    case FRAME_TYPE.error:
      return { kind: 'error', id, value: parseValue(frame, 0) }
    case FRAME_TYPE.item:
      return { kind: 'item', id, value: parseValue(frame, 0) }
    case FRAME_TYPE.end:
      return { kind: 'end', id, value: parseValue(frame, 0) }
    case FRAME_TYPE.opened:
      return { kind: 'opened', id, value: parseValue(frame, 0) }
    case FRAME_TYPE.outcome:
      return parseOutcome(frame)
    case FRAME_TYPE.stream:
      return parseStream(frame)
    case FRAME_TYPE.credit:
      return { kind: 'credit', id, items: readU32(head, 0) }
    case FRAME_TYPE.return:
      return { kind: 'return', id }
    case FRAME_TYPE.recall:
      return { kind: 'recall', id }
    case FRAME_TYPE.log:
      return { kind: 'log', id, log: parseLog(parseJson(head)) }
    case FRAME_TYPE.lost:
      return { kind: 'lost', id, lost: parseLost(parseJson(head)) }
    default:
      return parseConnectionMessage(frame)
  }
}

/** The time limit of a received call, without reading the rest of it. */
export function readCallTimeout({ head }: Frame): number {
  return readU32(head, 4)
}

/** The grace time of a received cancel. */
export function readCancelGrace({ head }: Frame): number {
  return readU32(head, 0)
}

/** The number of items of a received credit. */
export function readCreditItems({ head }: Frame): number {
  return readU32(head, 0)
}

/** The key of a received share or its end, without reading the rest of it. */
export function readShareKey(frame: Frame): string {
  return frame.head.toString('latin1', 1, shareKeyEnd(frame))
}

function shareKeyEnd({ head }: Frame): number {
  const end = 1 + (head[0] ?? 0)
  if (head.length < end) throw frameMalformed('a shared value without its key')
  return end
}

function writeShareKey(slab: Buffer, start: number, key: string): number {
  const keyBytes = slab.write(key, start + 1, 255, 'latin1')
  slab.writeUInt8(keyBytes, start)
  return start + 1 + keyBytes
}

function parseConnectionMessage(frame: Frame): Message {
  switch (frame.type) {
    case FRAME_TYPE.ping:
      return { kind: 'ping', id: frame.id }
    case FRAME_TYPE.pong:
      return { kind: 'pong', id: frame.id }
    case FRAME_TYPE.drain:
      return { kind: 'drain', id: 0 }
    case FRAME_TYPE.share:
      return { kind: 'share', id: 0, key: readShareKey(frame), value: parseValue(frame, shareKeyEnd(frame)) }
    case FRAME_TYPE.unshare:
      return { kind: 'unshare', id: 0, key: readShareKey(frame) }
    case FRAME_TYPE.draining:
      return { kind: 'draining', id: 0 }
    case FRAME_TYPE.failed:
      return { kind: 'failed', id: 0, value: parseValue(frame, 0) }
    case FRAME_TYPE.hello:
      return { kind: 'hello', id: 0, hello: parseHello(parseJson(frame.head)) }
    default:
      throw frameMalformed(`an unknown type ${frame.type}`)
  }
}

function writeCall(slab: Buffer, start: number, message: CallMessage): number {
  slab.writeUInt16LE(message.captures, start)
  slab.writeUInt16LE(Math.min(message.attempt, 0xffff), start + 2)
  slab.writeUInt32LE(message.timeoutMs, start + 4)
  const idBytes = slab.write(toTarget(message), start + CALL_FIELD_BYTES)
  slab.writeUInt16LE(idBytes, start + 8)
  slab.writeUInt8(RESULT_FORMS.indexOf(message.results ?? 'whole'), start + 10)
  return writeValue(slab, start + CALL_FIELD_BYTES + idBytes, message.value)
}

/** The lift id; behind a NUL the carrier as JSON, if there is one. */
function toTarget({ liftId, carrier }: CallMessage): string {
  return carrier === undefined ? liftId : `${liftId}\0${JSON.stringify(carrier)}`
}

function parseCarrier(text: string): Readonly<Record<string, string>> {
  const carrier: Record<string, string> = {}
  for (const [key, value] of Object.entries(parseJson(Buffer.from(text)))) {
    if (typeof value !== 'string') throw frameMalformed('a carrier that is not all text')
    carrier[key] = value
  }
  return carrier
}

function parseCall(frame: Frame): CallMessage {
  const { head } = frame
  if (head.length < CALL_FIELD_BYTES) throw frameMalformed('a call without its fields')
  const idEnd = CALL_FIELD_BYTES + head.readUInt16LE(8)
  const results = RESULT_FORMS[head.readUInt8(10)]
  if (results === undefined) throw frameMalformed('a call for results of an unknown form')
  const target = head.toString('utf8', CALL_FIELD_BYTES, idEnd)
  const end = target.indexOf('\0')
  return {
    kind: 'call',
    id: frame.id,
    captures: head.readUInt16LE(0),
    attempt: head.readUInt16LE(2),
    timeoutMs: head.readUInt32LE(4),
    liftId: end === -1 ? target : target.slice(0, end),
    carrier: end === -1 ? undefined : parseCarrier(target.slice(end + 1)),
    results,
    value: parseValue(frame, idEnd),
  }
}

function writeStream(slab: Buffer, start: number, { event, stream, items, value }: StreamMessage): number {
  slab.writeUInt8(STREAM_EVENTS.indexOf(event), start)
  slab.writeUInt16LE(stream, start + 1)
  slab.writeUInt32LE(items, start + 3)
  return writeValue(slab, start + STREAM_FIELD_BYTES, value)
}

function parseStream(frame: Frame): StreamMessage {
  const { id, head } = frame
  if (head.length < STREAM_FIELD_BYTES) throw frameMalformed('a stream event without its fields')
  const event = STREAM_EVENTS[head.readUInt8(0)]
  if (event === undefined) throw frameMalformed('an unknown stream event')
  const [stream, items] = [head.readUInt16LE(1), head.readUInt32LE(3)]
  return { kind: 'stream', id, stream, event, items, value: parseValue(frame, STREAM_FIELD_BYTES) }
}

function writeOutcome(slab: Buffer, start: number, { answer, index, value }: OutcomeMessage): number {
  slab.writeUInt8(OUTCOME_KINDS.indexOf(answer), start)
  slab.writeUInt32LE(index, start + 1)
  return writeValue(slab, start + OUTCOME_FIELD_BYTES, value)
}

function parseOutcome(frame: Frame): OutcomeMessage {
  const { id, head } = frame
  if (head.length < OUTCOME_FIELD_BYTES) throw frameMalformed('an outcome without its fields')
  const answer = OUTCOME_KINDS[head.readUInt8(0)]
  if (answer === undefined) throw frameMalformed('an outcome of an unknown kind')
  return { kind: 'outcome', id, index: head.readUInt32LE(1), answer, value: parseValue(frame, OUTCOME_FIELD_BYTES) }
}

function writeValue(slab: Buffer, start: number, value: WireValue): number {
  const at = slab.writeUInt8(value.format === 'json' ? 0 : 1, start)
  return at + slab.write(value.text, at)
}

function parseValue({ head, parts }: Frame, start: number): WireValue {
  if (head.length <= start) throw frameMalformed('a value that is missing')
  const text = head.toString('utf8', start + FORMAT_BYTES)
  switch (head.readUInt8(start)) {
    case 0:
      return { format: 'json', text, parts }
    case 1:
      return { format: 'devalue', text, parts }
    default:
      throw frameMalformed('a value of an unknown format')
  }
}

function maxValueBytes(value: WireValue): number {
  return FORMAT_BYTES + maxTextBytes(value.text)
}

function maxTextBytes(text: string): number {
  return text.length > COUNTED_UNITS ? Buffer.byteLength(text) : text.length * MAX_BYTES_PER_UNIT
}

function readU32(head: Buffer, at: number): number {
  if (head.length < at + 4) throw frameMalformed('a number that is missing')
  return head.readUInt32LE(at)
}
