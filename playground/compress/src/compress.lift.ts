import { gzipSync, strToU8 } from 'fflate'

/** The text as a `.gz` file. All functions of this file run in workers, and only workers carry `fflate`. */
export async function compress(text: string): Promise<Uint8Array> {
  // Without a fixed time the file would hold the present one, and differ at every run.
  return gzipSync(strToU8(text), { level: 9, mtime: 0 })
}
