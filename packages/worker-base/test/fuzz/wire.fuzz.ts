import { createFrameBatch } from '../../src/wire/frame-batch.ts'
import { createFrameDecoder } from '../../src/wire/frame-decoder.ts'
import { FrameError } from '../../src/wire/frame.ts'
import { parseMessage } from '../../src/wire/message-codec.ts'
import type { Message } from '../../src/wire/messages.ts'
import { MalformedValueError, decodeValue } from '../../src/wire/values.ts'

const MAX_FRAME_BYTES = 1024 * 1024

/**
 * What must hold for any bytes. The first byte says how the rest is cut into chunks.
 * Each frame is read or refused with a typed error, however the bytes are cut; what was read can be written again.
 */
export function fuzz(data: Buffer): void {
  const [size = 1] = data
  const bytes = data.subarray(1)
  const whole = decode([bytes])
  const cut = decode(cutBytes(bytes, size + 1))
  if (JSON.stringify(whole) !== JSON.stringify(cut)) throw new Error('Cut bytes were read in another way.')
  for (const message of whole.messages) readValue(message)
  const again = decode([writeMessages(whole.messages)])
  if (JSON.stringify(again.messages) !== JSON.stringify(whole.messages))
    throw new Error('It was not written as it was read.')
}

interface Outcome {
  readonly messages: readonly Message[]
  readonly refusal: string | undefined
}

function decode(chunks: Iterable<Buffer>): Outcome {
  const messages: Message[] = []
  const onFrame = (frame: Parameters<typeof parseMessage>[0]): void => void messages.push(parseMessage(frame))
  const decoder = createFrameDecoder({ onFrame, maxFrameBytes: MAX_FRAME_BYTES })
  try {
    for (const chunk of chunks) decoder.push(chunk)
    decoder.end()
    return { messages, refusal: undefined }
  } catch (error) {
    if (error instanceof FrameError) return { messages, refusal: error.code }
    throw error
  }
}

function* cutBytes(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

function writeMessages(messages: readonly Message[]): Buffer {
  const batch = createFrameBatch(MAX_FRAME_BYTES * 8)
  for (const message of messages) batch.add(message)
  return Buffer.concat(batch.take())
}

function readValue(message: Message): void {
  if (!('value' in message)) return
  try {
    decodeValue(message.value)
  } catch (error) {
    if (!(error instanceof MalformedValueError)) throw error
  }
}
