/**
 * Random numbers that are the same for the same seed, so that a failure can be run again.
 * @see https://en.wikipedia.org/wiki/Xorshift
 */
export function createRandom(seed) {
  let state = (seed * 0x9e3779b1) | 1
  const integer = (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
  return { integer, pick: (list) => list[integer(list.length)], chance: (percent) => integer(100) < percent }
}

const NUMBERS = [0, 1, 9, 13, 64, 255, 256, 65_535, 65_536, 0x7fffffff, 0xffffffff]

/** Cuts, inserts, doubles, flips, or sets a number. */
export function mutateOnce(input, random) {
  const bytes = Buffer.from(input)
  const at = random.integer(bytes.length + 1)
  switch (random.integer(6)) {
    case 0:
      return bytes.subarray(0, at)
    case 1:
      return Buffer.concat([bytes.subarray(0, at), Buffer.of(random.integer(256)), bytes.subarray(at)])
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(random.integer(bytes.length + 1))])
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.integer(8))])
    case 4:
      if (at + 4 <= bytes.length) bytes.writeUInt32LE(random.pick(NUMBERS), at)
      return bytes
    default:
      if (at < bytes.length) bytes[at] ^= 1 << random.integer(8)
      return bytes
  }
}
