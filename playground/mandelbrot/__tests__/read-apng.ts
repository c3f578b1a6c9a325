import { crc32, inflateSync } from 'node:zlib'

interface Picture {
  readonly width: number
  readonly height: number
  /** Colour numbers of each frame, row by row. */
  readonly frames: readonly Uint8Array[]
}

/** Reads an animated PNG with a palette and unfiltered rows, and checks every checksum on the way. */
export function readApng(file: Buffer): Picture {
  let [width, height] = [0, 0]
  const frames: Uint8Array[] = []
  for (const { type, data } of readChunks(file)) {
    if (type === 'IHDR') [width, height] = [data.readUInt32BE(0), data.readUInt32BE(4)]
    if (type === 'IDAT') frames.push(readRows(data, width))
    if (type === 'fdAT') frames.push(readRows(data.subarray(4), width))
  }
  return { width, height, frames }
}

function* readChunks(file: Buffer): Generator<{ readonly type: string; readonly data: Buffer }> {
  for (let offset = 8; offset < file.length;) {
    const end = offset + 8 + file.readUInt32BE(offset)
    if (crc32(file.subarray(offset + 4, end)) !== file.readUInt32BE(end)) throw new Error(`bad checksum at ${offset}`)
    yield { type: file.toString('latin1', offset + 4, offset + 8), data: file.subarray(offset + 8, end) }
    offset = end + 4
  }
}

function readRows(compressed: Buffer, width: number): Uint8Array {
  const rows = inflateSync(compressed)
  return rows.filter((_, index) => index % (width + 1) !== 0)
}
