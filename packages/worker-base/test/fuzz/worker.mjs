// Fuzzes a real worker: node packages/worker-base/test/fuzz/worker.mjs http|frames [runs] [seed]
// Whatever comes in, the process stays the same, its memory bounded, and the next honest call is right.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { performHandshake } from '@turbolift/worker-base/wire'

import { createFrame } from './frame-inputs.mjs'
import { createRequest } from './http-inputs.mjs'
import { createRandom } from './random.mjs'

const LANES = 8
/** Inputs on one connection, at most, and between two honest calls. */
const [TOGETHER, ROUND] = process.argv[2] === 'http' ? [64, 2000] : [500, 10_000]
/** How long a connection may wait for answers; others are left at once. */
const PATIENCE_MS = 100
const MOST_MEGABYTES = 700
const LIMITS = { TURBOLIFT_MAX_BODY_BYTES: '1000000', TURBOLIFT_TIMEOUT_MS: '1000', TURBOLIFT_EXECUTOR_MEMORY_MB: '64' }

const subject = process.argv[2]
const runs = Number(process.argv[3] ?? 100_000)
const seed = Number(process.argv[4] ?? 1)
const create = subject === 'http' ? createRequest : createFrame

/** What the worker told of faults of its own. */
const faults = []
const folder = mkdtempSync(join(tmpdir(), 'turbolift-fuzz-'))
const socketPath = join(folder, 'worker.sock')
const worker = await startWorker()
try {
  const peak = await fuzz()
  console.log(`${runs} inputs by ${subject}, seed ${seed}: the worker lives, at most ${peak} MB, and is right.`)
} finally {
  worker.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}

async function fuzz() {
  let peak = 0
  for (let done = 0; done < runs; done += ROUND) {
    const random = createRandom(seed + done)
    const inputs = Array.from({ length: Math.min(ROUND, runs - done) }, () => create(random))
    const lanes = Array.from({ length: LANES }, (_, lane) => inputs.filter((_input, index) => index % LANES === lane))
    await Promise.all(lanes.map((lane) => sendAll(lane, random)))
    const megabytes = await checkWorker().catch((error) => {
      throw new Error(`After ${done} inputs, seed ${seed + done}: ${error.message}`, { cause: error })
    })
    peak = Math.max(peak, megabytes)
  }
  return peak
}

async function sendAll(inputs, random) {
  for (let at = 0; at < inputs.length;) {
    const count = 1 + random.integer(TOGETHER)
    await sendOnOne(inputs.slice(at, at + count), random)
    at += count
  }
}

/** Sends inputs on one connection, for frames before the token or after it, and waits for answers or not. */
async function sendOnOne(inputs, random) {
  const isPatient = random.chance(30)
  const isKnown = subject === 'frames' && random.chance(95)
  const socket = connect(socketPath)
  const closed = new Promise((resolve) => socket.on('close', resolve))
  // Refused, or cut off in the middle: as it should be.
  socket.on('error', () => socket.destroy())
  if (isKnown) await performHandshake(socket, { token: 'test-token', build: 'test-build' })
  socket.resume()
  socket.write(Buffer.concat(inputs))
  if (!isPatient) socket.end()
  const timer = setTimeout(() => socket.destroy(), PATIENCE_MS)
  await closed
  clearTimeout(timer)
}

/** @returns its memory in MB, where that can be told */
async function checkWorker() {
  if (faults.length > 0) throw new Error(faults.join(''))
  if (worker.exitCode !== null || worker.signalCode !== null) throw new Error('The worker ended.')
  const answer = await callSquare()
  if (answer !== '49') throw new Error(`An honest call was answered by ${answer}.`)
  // Elsewhere a process cannot tell so easily what another one has.
  if (process.platform !== 'linux') return 0
  const [, pages] = readFileSync(`/proc/${worker.pid}/statm`, 'utf8').split(' ')
  const megabytes = Math.round((Number(pages) * 4096) / 1024 / 1024)
  if (megabytes > MOST_MEGABYTES) throw new Error(`The worker has ${megabytes} MB.`)
  return megabytes
}

async function callSquare() {
  const headers = { authorization: 'Bearer test-token', 'content-type': 'application/json' }
  const path = '/call/src%2Fmain.ts%23square'
  // What was sent before may take its time limit.
  const asked = request({ socketPath, path, method: 'POST', headers, timeout: 60_000 })
  asked.on('timeout', () => asked.destroy(new Error('An honest call got no answer in 60 s.'))).end('[7]')
  const [response] = await once(asked, 'response')
  return Buffer.concat(await response.toArray()).toString()
}

async function startWorker() {
  for (const name of ['worker.js', 'executor.js'])
    copyFileSync(new URL(`../../dist/${name}`, import.meta.url), join(folder, name))
  copyFileSync(new URL('../functions.fixture.mjs', import.meta.url), join(folder, 'functions.js'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  const settings = { TURBOLIFT_LISTEN: socketPath, TURBOLIFT_TOKEN: 'test-token', TURBOLIFT_BUILD: 'test-build' }
  const child = spawn(process.execPath, [join(folder, 'worker.js')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, TURBOLIFT_CONCURRENCY: '2', ...settings, ...LIMITS },
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    if (/failed at a request|fault of its own/.test(text)) faults.push(text)
  })
  for (;;) {
    const answer = await callSquare().catch(() => undefined)
    if (answer === '49') return child
    if (child.exitCode !== null) throw new Error('The worker did not start.')
  }
}
