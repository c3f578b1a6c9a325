import { crc32 } from 'node:zlib'

/** An animated PNG with a palette; every frame is of the full size. */
export interface Animation {
  readonly width: number
  readonly height: number
  /** 256 colours, three bytes each. */
  readonly palette: Uint8Array
  readonly framesPerSecond: number
  /** For each frame the zlib stream of its rows, each row with its filter byte in front. */
  readonly frames: readonly Uint8Array[]
}

/**
 * The bytes of the file. Programs that know only PNG show the first frame.
 * @see https://www.w3.org/TR/png-3/
 */
export function toApng({ width, height, palette, framesPerSecond, frames }: Animation): Uint8Array {
  const size = [u32(width), u32(height)]
  const chunks = [
    chunk('IHDR', ...size, Uint8Array.of(8, 3, 0, 0, 0)),
    chunk('acTL', u32(frames.length), u32(0)),
    chunk('PLTE', palette),
  ]
  let sequence = 0
  for (const [index, frame] of frames.entries()) {
    const offsets = [u32(0), u32(0)]
    chunks.push(chunk('fcTL', u32(sequence++), ...size, ...offsets, u16(1), u16(framesPerSecond), Uint8Array.of(0, 0)))
    chunks.push(index === 0 ? chunk('IDAT', frame) : chunk('fdAT', u32(sequence++), frame))
  }
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
  return Buffer.concat([signature, ...chunks, chunk('IEND')])
}

function chunk(type: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), ...parts])
  return Buffer.concat([u32(body.length - type.length), body, u32(crc32(body))])
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function u16(value: number): Uint8Array {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}
