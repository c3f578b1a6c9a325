// Fuzzes the wire decoder, guided by V8's block coverage: node packages/worker-base/test/fuzz/run.mjs [runs] [seed]
// Inputs that reach a new block are kept and mutated further. An input that breaks a rule of wire.fuzz.ts is printed.
import { mkdtempSync, rmSync } from 'node:fs'
import { Session } from 'node:inspector'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { build } from 'rolldown'

/** Inputs between two looks at the coverage, which take longer than the inputs. */
const BATCH = 64
const MAX_BYTES = 4096
const INTERESTING = [0, 1, 9, 13, 64, 255, 256, 65_535, 65_536, 0x7fffffff, 0xffffffff]

const runs = Number(process.argv[2] ?? 100_000)
let state = (Number(process.argv[3] ?? 1) * 0x9e3779b1) | 1

const folder = mkdtempSync(join(tmpdir(), 'turbolift-fuzz-'))
const file = join(folder, 'wire.fuzz.mjs')
await build({
  input: fileURLToPath(new URL('wire.fuzz.ts', import.meta.url)),
  platform: 'node',
  logLevel: 'silent',
  output: { file, format: 'esm' },
})
const session = new Session()
session.connect()
post('Profiler.enable')
post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
const { fuzz } = await import(pathToFileURL(file).href)
rmSync(folder, { recursive: true })

const corpus = createSeeds()
const seen = new Set()
for (const input of corpus) run(input)
countNewBlocks()
for (let done = 0; done < runs; done += BATCH) {
  const batch = Array.from({ length: BATCH }, () => mutate(pick(corpus)))
  batch.forEach(run)
  if (countNewBlocks() === 0) continue
  // Which of them it was matters little: all are close to it.
  corpus.push(...batch.slice(0, 8))
}
console.log(`${runs} inputs, ${seen.size} blocks reached, ${corpus.length} inputs kept: every rule held.`)

function run(input) {
  try {
    fuzz(input)
  } catch (error) {
    console.error(`This input breaks a rule (base64): ${input.toString('base64')}`)
    throw error
  }
}

function post(method, params) {
  let answer
  session.post(method, params, (error, result) => {
    if (error !== null) throw error
    answer = result
  })
  return answer
}

function countNewBlocks() {
  const before = seen.size
  for (const script of post('Profiler.takePreciseCoverage').result) {
    if (!script.url.endsWith('wire.fuzz.mjs')) continue
    for (const { ranges } of script.functions) {
      for (const { count, startOffset, endOffset } of ranges) if (count > 0) seen.add(`${startOffset}-${endOffset}`)
    }
  }
  return seen.size - before
}

function mutate(input) {
  let bytes = Buffer.from(input)
  for (let times = 1 + integer(4); times > 0; times -= 1) bytes = mutateOnce(bytes)
  return bytes.subarray(0, MAX_BYTES)
}

function mutateOnce(bytes) {
  const at = integer(bytes.length + 1)
  switch (integer(7)) {
    case 0:
      return bytes.subarray(0, at)
    case 1:
      return Buffer.concat([bytes.subarray(0, at), Buffer.of(integer(256)), bytes.subarray(at)])
    case 2:
      return Buffer.concat([bytes, pick(corpus).subarray(1)])
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + integer(8))])
    case 4:
      if (at + 4 <= bytes.length) bytes.writeUInt32LE(pick(INTERESTING), at)
      return bytes
    case 5:
      return Buffer.concat([bytes.subarray(0, at), pick(corpus).subarray(0, integer(64)), bytes.subarray(at)])
    default:
      if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << integer(8))
      return bytes
  }
}

function pick(list) {
  return list[integer(list.length)]
}

/** @see https://en.wikipedia.org/wiki/Xorshift */
function integer(below) {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) % below
}

/** Frames to start from: results with JSON, with a part, with an error; a call; a lost call. */
function createSeeds() {
  return [
    [3, Buffer.from('\0[1,"a"]'), []],
    [3, Buffer.from('\u0001[["Special",1],["Buffer",2],["ArrayBuffer",3],1]'), [Buffer.from('bytes')]],
    [1, Buffer.concat([Buffer.from([0, 0, 1, 0, 0, 0, 0, 0, 3, 0]), Buffer.from('a#b\0[{}]')]), []],
    [4, Buffer.from('\u0001[["Special",1],["Error",2],{"class":3,"fields":4},"TypeError",{}]'), []],
    [15, Buffer.from('{"reason":"exit","started":true,"detail":""}'), []],
    [16, Buffer.from('{"workerId":"w","build":"b","slots":1,"pid":1,"maxFrameBytes":1}'), []],
  ].map(([type, head, parts]) => toInput(type, head, parts))
}

function toInput(type, head, parts) {
  const header = Buffer.alloc(13 + 4 * parts.length)
  const bytes = parts.reduce((sum, part) => sum + part.length, head.length + header.length)
  header.writeUInt32LE(bytes - 4, 0)
  header.writeUInt8(type, 4)
  header.writeUInt32LE(7, 5)
  header.writeUInt32LE(parts.length, 9)
  parts.forEach((part, index) => header.writeUInt32LE(part.length, 13 + 4 * index))
  return Buffer.concat([Buffer.of(200), header, head, ...parts])
}
