/**
 * What a worker runs whose code was mounted: joins the parts, unpacks the archive that `packArchive` made, and goes on
 * with `worker.js`. It stands alone, since the stock Node image may have neither `tar` nor any package.
 * Arguments: folder of the parts, folder to unpack into.
 */
export const unpackScript = `import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'

const [packed, folder] = process.argv.splice(2, 2)
const parts = readdirSync(packed).filter((name) => name.startsWith('part-')).sort()
const archive = gunzipSync(Buffer.concat(parts.map((name) => readFileSync(join(packed, name)))))
const text = (at, length) => archive.toString('utf8', at, at + length).split('\\0')[0]
for (let at = 0; archive[at] !== 0; ) {
  const prefix = text(at + 345, 155)
  const name = prefix === '' ? text(at, 100) : prefix + '/' + text(at, 100)
  const size = parseInt(text(at + 124, 12), 8)
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, archive.subarray(at + 512, at + 512 + size))
  at += 512 + Math.ceil(size / 512) * 512
}
process.argv[1] = join(folder, 'worker.js')
await import(pathToFileURL(process.argv[1]).href)
`
