import { BuildError } from '../errors.ts'

/** A regular file in an archive. `name` is relative, with `/` between its parts. */
export interface ArchiveEntry {
  readonly name: string
  readonly data: Uint8Array
}

const BLOCK = 512
const REGULAR_FILE = 0x30

/**
 * Packs files as a tar archive that depends on names and contents alone: sorted, owned by root, mode 0644,
 * no times. Equal files give equal bytes on every machine, which is what names images by content.
 * @throws BuildError `ARCHIVE_NAME_TOO_LONG` where a name does not fit the format
 * @see https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html (ustar)
 */
export function packArchive(entries: readonly ArchiveEntry[]): Buffer {
  const sorted = entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const blocks = sorted.flatMap(({ name, data }) => [toHeader(name, data.length), data, padding(data.length)])
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)])
}

function toHeader(name: string, size: number): Buffer {
  const header = Buffer.alloc(BLOCK)
  const [prefix, rest] = splitName(name)
  header.write(rest, 0)
  header.write('0000644\0', 100)
  header.write('0000000\0', 108)
  header.write('0000000\0', 116)
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  header.write('00000000000\0', 136)
  header.fill(' ', 148, 156)
  header[156] = REGULAR_FILE
  header.write('ustar\x0000', 257)
  header.write(prefix, 345)
  const checksum = header.reduce((sum, byte) => sum + byte, 0)
  header.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

/** ustar keeps 155 bytes of leading folders apart from the last 100 bytes of a name. */
function splitName(name: string): readonly [prefix: string, rest: string] {
  if (Buffer.byteLength(name) <= 100) return ['', name]
  for (let slash = name.indexOf('/'); slash !== -1; slash = name.indexOf('/', slash + 1)) {
    const [prefix, rest] = [name.slice(0, slash), name.slice(slash + 1)]
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(rest) <= 100) return [prefix, rest]
  }
  throw new BuildError('ARCHIVE_NAME_TOO_LONG', {
    what: `The worker file "${name}" has a name that does not fit into an image's archive.`,
    why: 'A file name may have 100 bytes, and its folders 155.',
    fix: 'Shorten the name of the asset or chunk.',
  })
}

function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK)
}
