import { createHash } from 'node:crypto'

import type { WireValue } from '@turbolift/worker-base/wire'

// An entry: "turbolift1", SHA-256 over the key and all that follows, u8 format, u32 text length, text (UTF-8),
// u32 number of binary parts, then u32 length and bytes of each. Numbers are little-endian.
const MAGIC = Buffer.from('turbolift1')
const CHECKSUM_BYTES = 32
const FORMATS = ['json', 'devalue'] as const

/** @param key is in the checksum too, so that a file under a wrong name is not taken for another result */
export function packEntry(key: string, { format, text, parts }: WireValue): Buffer {
  const encoded = Buffer.from(text)
  const body = Buffer.concat([
    Buffer.of(FORMATS.indexOf(format)),
    toUInt32(encoded.byteLength),
    encoded,
    toUInt32(parts.length),
    ...parts.flatMap((part) => [toUInt32(part.byteLength), part]),
  ])
  return Buffer.concat([MAGIC, checksum(key, body), body])
}

/** `undefined` when the bytes are not exactly what `packEntry` made for this key. */
export function unpackEntry(key: string, entry: Buffer): WireValue | undefined {
  const start = MAGIC.byteLength + CHECKSUM_BYTES
  const body = entry.subarray(start)
  const isIntact =
    entry.subarray(0, MAGIC.byteLength).equals(MAGIC) &&
    entry.subarray(MAGIC.byteLength, start).equals(checksum(key, body))
  return isIntact ? parseBody(body) : undefined
}

// Only called on bytes whose checksum is right, so lengths are as they were written.
function parseBody(body: Buffer): WireValue | undefined {
  const format = FORMATS[body.readUInt8(0)]
  const textEnd = 5 + body.readUInt32LE(1)
  const parts: Uint8Array[] = []
  let at = textEnd + 4
  for (let left = body.readUInt32LE(textEnd); left > 0; left--) {
    const end = at + 4 + body.readUInt32LE(at)
    parts.push(body.subarray(at + 4, end))
    at = end
  }
  return format === undefined ? undefined : { format, text: body.toString('utf8', 5, textEnd), parts }
}

function checksum(key: string, body: Uint8Array): Buffer {
  return createHash('sha256').update(key).update(body).digest()
}

function toUInt32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
