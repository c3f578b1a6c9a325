import { createReadStream, createWriteStream, readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip, gunzipSync } from 'node:zlib'

async function compress(file: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  'use lift'
  return Readable.from(file).pipe(createGzip())
}

async function* readLines(count: number): AsyncGenerator<{ line: number }> {
  for (let line = 0; line < count; line += 1) yield { line }
}

async function addUp(rows: AsyncIterable<{ line: number }>): Promise<{ sum: number; rest: ReadableStream<string> }> {
  'use lift'
  let sum = 0
  for await (const { line } of rows) sum += line
  return { sum, rest: new Blob(['the rest']).stream().pipeThrough(new TextDecoderStream()) }
}

export async function streams(path: string): Promise<void> {
  const text = 'a line of the log\n'.repeat(50_000)
  await writeFile(path, text)
  await pipeline(await compress(createReadStream(path)), createWriteStream(`${path}.gz`))
  console.log(gunzipSync(readFileSync(`${path}.gz`)).toString() === text)
  await Promise.all([rm(path), rm(`${path}.gz`)])
  const { sum, rest } = await addUp(readLines(1000))
  for await (const chunk of rest) console.log(sum, chunk)
}
