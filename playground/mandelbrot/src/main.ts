import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { deflateSync } from 'node:zlib'

import { map } from 'turbolift'

import { toApng } from './apng.ts'
import { type Frame, renderPixels } from './mandelbrot.ts'
import { toPalette } from './palette.ts'

/** Draws a frame and compresses it as PNG wants it, so that a few kilobytes travel back in place of all pixels. */
async function renderFrame(frame: Frame): Promise<Uint8Array> {
  'use lift'
  const pixels = renderPixels(frame)
  const rows = new Uint8Array((frame.width + 1) * frame.height)
  for (let y = 0; y < frame.height; y++) {
    // Each row starts with its filter type; 0 means that the pixels follow as they are.
    rows.set(pixels.subarray(y * frame.width, (y + 1) * frame.width), y * (frame.width + 1) + 1)
  }
  return deflateSync(rows, { level: 9 })
}

const [path = 'out/zoom.png', frameCount = '60', width = '360'] = process.argv.slice(2)
const size = { width: Number(width), height: Math.round((Number(width) * 2) / 3) }

const start = performance.now()
const frames = await map(renderFrame, toZoom(Number(frameCount)))
const image = toApng({ ...size, palette: toPalette(), framesPerSecond: 12, frames })
await mkdir(dirname(path), { recursive: true })
await writeFile(path, image)

console.log(`${frames.length} frames of ${size.width} by ${size.height}, ${image.length} bytes`)
console.log(`sha256 ${createHash('sha256').update(image).digest('hex')}`)
console.error(`Look at ${path}; it took ${((performance.now() - start) / 1000).toFixed(2)} s.`)

/** A zoom into the seahorse valley, by the same factor from each frame to the next. */
function toZoom(count: number): Frame[] {
  const [first, last] = [3.5, 0.000_03]
  const centre = { re: -0.743_643_887_037_151, im: 0.131_825_904_205_33 }
  return Array.from({ length: count }, (_, index) => ({
    ...size,
    centre,
    span: first * (last / first) ** (index / Math.max(1, count - 1)),
  }))
}
