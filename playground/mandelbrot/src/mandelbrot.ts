/** One picture of the Mandelbrot set. */
export interface Frame {
  readonly width: number
  readonly height: number
  /** The point in the middle. */
  readonly centre: { readonly re: number; readonly im: number }
  /** Width of the picture in the plane of complex numbers. */
  readonly span: number
}

const MAX_ITERATIONS = 1500
// Large, so that the smoothed count has no visible steps.
const ESCAPE_RADIUS_SQUARED = 2 ** 16
const COLOURS = 255

/** Colour numbers row by row: 0 inside the set, 1 to 255 outside, going round as the escape takes longer. */
export function renderPixels({ width, height, centre, span }: Frame): Uint8Array {
  const pixels = new Uint8Array(width * height)
  const step = span / width
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const steps = countSteps(centre.re + (x - width / 2) * step, centre.im + (y - height / 2) * step)
      pixels[y * width + x] = steps === undefined ? 0 : 1 + (Math.floor(Math.sqrt(steps) * 24) % COLOURS)
    }
  }
  return pixels
}

/**
 * Steps until z² + c escapes, smoothed to a fraction; undefined when it does not.
 * @see https://en.wikipedia.org/wiki/Plotting_algorithms_for_the_Mandelbrot_set#Continuous_(smooth)_coloring
 */
function countSteps(re: number, im: number): number | undefined {
  let [x, y] = [0, 0]
  for (let step = 0; step < MAX_ITERATIONS; step++) {
    const [xx, yy] = [x * x, y * y]
    if (xx + yy > ESCAPE_RADIUS_SQUARED) return Math.max(0, step + 1 - Math.log2(Math.log2(xx + yy) / 2))
    y = 2 * x * y + im
    x = xx - yy + re
  }
  return undefined
}
