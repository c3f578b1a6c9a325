type Colour = readonly [red: number, green: number, blue: number]

// The circle of colours around the set: night blue, light blue, white, amber, brown, and back.
const stops: readonly Colour[] = [
  [6, 10, 52],
  [38, 96, 188],
  [236, 248, 252],
  [252, 176, 36],
  [96, 28, 8],
]

/** 256 colours as bytes red, green, blue: the first is black, the others go round without a seam. */
export function toPalette(): Uint8Array {
  const colours = Array.from({ length: 255 }, (_, index) => colourAt(index / 255))
  return Uint8Array.from([0, 0, 0, ...colours.flat()])
}

function colourAt(turn: number): number[] {
  const position = turn * stops.length
  const before = stops[Math.floor(position)] ?? [0, 0, 0]
  const after = stops[Math.ceil(position) % stops.length] ?? before
  const share = position % 1
  return before.map((value, channel) => Math.round(value * (1 - share) + (after[channel] ?? 0) * share))
}
