import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'

import { parse, stringify } from 'devalue'
import { describe, expect, it } from 'vitest'

import { TestWorker } from './start-worker.ts'

const TOKEN = 'Authorization: Bearer test-token'

/** Sends bytes as they are, and gives all that comes back until the worker closes the connection. */
async function exchange(worker: TestWorker, bytes: string | Uint8Array): Promise<string> {
  const socket = await worker.dial()
  socket.write(bytes)
  return receiveAll(socket)
}

async function receiveAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  // Closed while it still writes: what came before is what counts.
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined)
  await new Promise((resolve) => socket.on('close', resolve))
  return Buffer.concat(chunks).toString()
}

function toStatuses(received: string): number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
}

function post(name: string, body: string | Uint8Array, type = 'application/json'): Uint8Array {
  const head = [`POST /call/src%2Fmain.ts%23${name} HTTP/1.1`, 'Host: worker', TOKEN, `Content-Type: ${type}`]
  const more = [`Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close', '', '']
  return Buffer.concat([Buffer.from([...head, ...more].join('\r\n')), Buffer.from(body)])
}

async function call(worker: TestWorker, name: string, body: string, type?: string): Promise<[number, string]> {
  const received = await exchange(worker, post(name, body, type))
  return [toStatuses(received)[0] ?? 0, received.slice(received.indexOf('\r\n\r\n') + 4)]
}

/** The worker is the same process as ever, and right. */
async function expectWell(worker: TestWorker): Promise<void> {
  expect(await call(worker, 'square', '[7]')).toEqual([200, '49'])
  expect(worker.child.exitCode).toBe(null)
  expect(worker.output.filter((line) => line.includes('fault') || line.includes('failed at'))).toEqual([])
}

/** The last one on its connection, unless it says otherwise. */
function request(target: string, ...headers: readonly string[]): string {
  const isOpen = headers.some((header) => header.startsWith('Connection:'))
  return [`${target} HTTP/1.1`, ...headers, ...(isOpen ? [] : ['Connection: close']), '', ''].join('\r\n')
}

const HOST = 'Host: worker'
const KEPT = 'Connection: keep-alive'

describe('a request without the token', () => {
  const requests: readonly (readonly [string, string | Uint8Array, readonly number[]])[] = [
    ['a fragment and a host that is none', request('GET /a#b', 'Host: h:99999'), [401]],
    ['a brace and an address that is none', request('GET /*}', 'Host: 256.256.256.256'), [401]],
    ['a percent sign and a host that is none', request('GET /%^', 'Host: h:99999'), [401]],
    ['a colon and a name that is none', request('POST /:&;{', 'Host: xn--a'), [401]],
    ['a target of another host', request('GET http://h:99999/a', HOST), [401]],
    ['a probe of another host', request('GET http://h:99999/health', HOST), [401]],
    ['no host at all', request('GET /a'), [400]],
    ['a tunnel', request('CONNECT h:99999', HOST), []],
    ['a question about everything', request('OPTIONS *', HOST), [401]],
    ['a probe by a method of another kind', request('POST /health', HOST), [401]],
    ['an upgrade', request('GET /connect', HOST, 'Connection: upgrade', 'Upgrade: turbolift/1'), [401]],
    ['an upgrade to HTTP/2', request('GET /a', HOST, 'Connection: upgrade, HTTP2-Settings', 'Upgrade: h2c'), [401]],
    ['an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400]],
    ['the start of TLS', Buffer.from('1603010200010001fc0303', 'hex'), [400]],
    ['bytes that are no HTTP', Buffer.alloc(1000, 0xff), [400]],
    ['a head that is too large', request('GET /a', HOST, `X: ${'x'.repeat(100_000)}`), [431]],
    [
      'a body that is announced and never comes',
      request('POST /call/a', HOST, KEPT, 'Content-Length: 999999999'),
      [401],
    ],
    [
      'a question whether to send the body',
      request('POST /a', HOST, 'Content-Length: 9', 'Expect: 100-continue'),
      [401],
    ],
    ['an expectation of another kind', request('POST /a', HOST, 'Content-Length: 9', 'Expect: a miracle'), [417]],
    ['two lengths', request('POST /a', HOST, 'Content-Length: 1', 'Content-Length: 2'), [400]],
    ['a length and chunks', request('POST /a', HOST, 'Content-Length: 1', 'Transfer-Encoding: chunked'), [400]],
    ['chunks that are none', `${request('POST /a', HOST, 'Transfer-Encoding: chunked')}zz\r\n`, [401]],
    ['two tokens, the first wrong', request('GET /a', HOST, 'Authorization: Bearer x', TOKEN), [401]],
    ['a token of another length', request('GET /a', HOST, `${TOKEN}${'x'.repeat(9000)}`), [401]],
  ]

  it('is refused, whatever it is, and the worker goes on', { timeout: 60_000 }, async () => {
    await using worker = new TestWorker()
    for (const [name, bytes, statuses] of requests) {
      expect([name, toStatuses(await exchange(worker, bytes))]).toEqual([name, statuses])
    }
    await expectWell(worker)
  })

  it('ends its connection, and those that follow it there are not looked at', async () => {
    await using worker = new TestWorker()
    const received = await exchange(
      worker,
      Buffer.concat([Buffer.from(request('POST /a', HOST, KEPT, 'Content-Length: 9')), post('square', '[7]')]),
    )
    expect(toStatuses(received)).toEqual([401])
  })

  it('leaves probes open, also by HEAD and in a row', async () => {
    await using worker = new TestWorker()
    const client = await worker.connect()
    await client.kind('hello')
    const received = await exchange(
      worker,
      [request('GET /health', HOST, KEPT), request('HEAD /health?a', HOST, KEPT), request('GET /ready', HOST)].join(''),
    )
    expect(toStatuses(received)).toEqual([200, 200, 200])
    expect(received.match(/\r\n\r\nok/g)).toHaveLength(1)
    expect(received).toMatch(/\{"status":"ready"\}$/)
  })

  it('does not keep others out by connections that say nothing', { timeout: 60_000 }, async () => {
    await using worker = new TestWorker()
    const client = await worker.connect()
    const silent: Socket[] = []
    let closed = 0
    for (let count = 0; count < 1000; count += 1) {
      const socket = await worker.dial()
      socket.on('error', () => undefined).on('close', () => (closed += 1))
      silent.push(socket)
    }
    await expectWell(worker)
    expect(await client.call('square', [3])).toMatchObject({ kind: 'result' })
    expect(closed).toBeGreaterThan(700)
    for (const socket of silent) socket.destroy()
  })
})

describe('a request with the token', () => {
  const requests: readonly (readonly [string, string, readonly number[]])[] = [
    ['a fragment and a host that is none', request('GET /a#b', 'Host: h:99999', TOKEN), [404]],
    ['a call to a host that is none', request('GET /call/a#b', 'Host: h:99999', TOKEN), [404]],
    ['a path that is not encoded well', request('POST /call/%^', 'Host: h:99999', TOKEN), [400]],
    ['a function with a NUL in its name', request('POST /call/a%00%7B', HOST, TOKEN), [404]],
    ['a question about everything', request('OPTIONS *', HOST, TOKEN), [404]],
    ['a question about a call', request('OPTIONS /call/src%2Fmain.ts%23square', HOST, TOKEN), [405]],
    ['a call by HEAD', request('HEAD /call/src%2Fmain.ts%23square', HOST, TOKEN), [405]],
    ['a tunnel', request('CONNECT h:99999', HOST, TOKEN), []],
    ['a websocket', request('GET /connect', HOST, TOKEN, 'Connection: upgrade', 'Upgrade: websocket'), [400]],
  ]

  it('is refused where it is no call, and the worker goes on', async () => {
    await using worker = new TestWorker()
    const client = await worker.connect()
    await client.kind('hello')
    for (const [name, bytes, statuses] of requests) {
      expect([name, toStatuses(await exchange(worker, bytes))]).toEqual([name, statuses])
    }
    await expectWell(worker)
  })

  it('may be of any form that HTTP has', async () => {
    await using worker = new TestWorker()
    const path = '/call/src%2Fmain.ts%23square'
    const json = 'Content-Type: application/json; charset=UTF-8'
    const chunked = `${request(`POST ${path}`, HOST, TOKEN, json, KEPT, 'Transfer-Encoding: chunked', 'Trailer: X')}1\r\n[\r\n2\r\n3]\r\n0\r\nX: y\r\n\r\n`
    const absolute = `${request(`POST http://elsewhere:99999${path}`, HOST, TOKEN, json, KEPT, 'Content-Length: 3')}[4]`
    const expecting = `${request(`POST ${path}?a#b`, HOST, TOKEN, json, 'Content-Length: 3', 'Expect: 100-continue')}[5]`
    const received = await exchange(worker, chunked + absolute + expecting)
    // Its body was there before it could be asked for.
    expect(toStatuses(received)).toEqual([200, 200, 200])
    expect(toStatuses(await exchange(worker, expecting))).toEqual([100, 200])
    expect([...received.matchAll(/\r\n\r\n(\d+)/g)].map(([, body]) => body)).toEqual(['9', '16', '25'])
    const compressed = `${request(`POST ${path}`, HOST, TOKEN, json, 'Content-Encoding: gzip', 'Content-Length: 3')}[5]`
    expect(toStatuses(await exchange(worker, compressed))).toEqual([415])
    const wide = `${request(`POST ${path}`, HOST, TOKEN, `${json.slice(0, -5)}utf-16`, 'Content-Length: 3')}[5]`
    expect(toStatuses(await exchange(worker, wide))).toEqual([415])
    expect(await call(worker, 'square', '[7]', 'application/json; charset="utf-8"')).toEqual([200, '49'])
  })
})

const DEVALUE = 'application/x-devalue'

describe('a call by HTTP', () => {
  const wide = JSON.stringify([[1], ...Array.from({ length: 2000 }, (_, n) => [n + 2]), 7])
  const calls: readonly (readonly [string, string, string, string | undefined, number])[] = [
    ['arguments of 3,000 levels', 'echo', '['.repeat(3000) + ']'.repeat(3000), undefined, 200],
    ['arguments of 100,000 levels', 'echo', '['.repeat(100_000) + ']'.repeat(100_000), undefined, 500],
    ['devalue of 2,000 levels', 'echo', wide, DEVALUE, 200],
    [
      'devalue of 200,000 levels',
      'echo',
      JSON.stringify([[1], ...Array.from({ length: 200_000 }, (_, n) => [n + 2]), 7]),
      DEVALUE,
      500,
    ],
    ['a list without elements in place of the arguments', 'square', '[[-7,4294967290]]', DEVALUE, 400],
    ['a list without elements as an argument', 'echo', '[[1],[-7,4294967290]]', DEVALUE, 200],
    ['a list that refers to itself', 'echo', '[[0]]', DEVALUE, 200],
    ['more arguments than there can be', 'add', `[${'1,'.repeat(200_000)}1]`, undefined, 400],
    ['bytes that are no text', 'echo', '["\u00ff"]', undefined, 200],
    ['no body', 'echo', '', undefined, 400],
    ['a result of 4,000 levels', 'nested', '[4000]', undefined, 200],
    ['a result of 4,000 levels as devalue', 'nested', '[[1],4000]', DEVALUE, 200],
    ['a result of a million levels', 'nested', '[1000000]', undefined, 500],
    ['an error without a prototype', 'throwOdd', '["bare"]', undefined, 500],
    ['an error with a code of its own', 'throwOdd', '["quota"]', undefined, 500],
    ['a frozen error', 'throwOdd', '["frozen"]', undefined, 500],
    ['an error that cannot be read', 'throwOdd', '["unreadable"]', undefined, 500],
    ['an error behind a proxy', 'throwOdd', '["proxy"]', undefined, 500],
    ['a symbol that is thrown', 'throwOdd', '["symbol"]', undefined, 500],
    ['an error as devalue', 'throwOdd', '[[1],"quota"]', DEVALUE, 500],
  ]

  it('is answered, whatever it holds, and the worker goes on', { timeout: 60_000 }, async () => {
    await using worker = new TestWorker()
    for (const [name, fn, body, type, status] of calls) {
      const [got, answer] = await call(worker, fn, body, type)
      expect([name, got, answer.length > 0]).toEqual([name, status, true])
      await expectWell(worker)
    }
  })

  it('refuses text that is not UTF-8', async () => {
    await using worker = new TestWorker()
    const received = await exchange(worker, post('echo', Uint8Array.of(0x5b, 0x22, 0xff, 0x22, 0x5d)))
    expect(toStatuses(received)).toEqual([400])
  })

  it('gives back what it got, to the last level and bit', async () => {
    await using worker = new TestWorker()
    const value = {
      when: new Date(5),
      list: Object.assign(Array(3), { 1: -0, 2: NaN }),
      set: new Set(['\u{1f600}', 2n ** 70n]),
      self: {},
    }
    value.self = value
    const [, answer] = await call(worker, 'echo', stringify([value]), DEVALUE)
    expect(parse(answer)).toEqual(value)
    expect((await call(worker, 'nested', '[4000]'))[1]).toBe(`${'['.repeat(4000)}0${']'.repeat(4000)}`)
  })

  it('keeps the thread that talks free, however long its numbers are', { timeout: 120_000 }, async () => {
    await using worker = new TestWorker({ environment: { TURBOLIFT_TIMEOUT_MS: '20000' } })
    const [listening] = [await worker.connect()]
    await listening.kind('hello')
    const state = { isOver: false }
    const long = call(worker, 'echo', `[[1],["BigInt","${'7'.repeat(8_000_000)}"]]`, DEVALUE).finally(
      () => (state.isOver = true),
    )
    const waits: number[] = []
    while (!state.isOver) {
      const start = performance.now()
      expect(await exchange(worker, request('GET /health', HOST))).toContain('ok')
      waits.push(performance.now() - start)
    }
    expect((await long)[0]).toBe(400)
    expect(Math.max(...waits)).toBeLessThan(2000)
    await expectWell(worker)
  })

  it('ends at the time limit of the pool', async () => {
    await using worker = new TestWorker({ environment: { TURBOLIFT_TIMEOUT_MS: '200' } })
    const [status, answer] = await call(worker, 'hang', '[]')
    expect([status, JSON.parse(answer)]).toEqual([
      504,
      { error: { name: 'timeout', message: 'It ran for longer than 200 ms.' } },
    ])
    expect((await call(worker, 'busy', '[60000]'))[0]).toBe(504)
    await expectWell(worker)
  })

  it('frees its executor when its caller leaves, at any moment', { timeout: 60_000 }, async () => {
    await using worker = new TestWorker()
    const client = await worker.connect()
    await client.kind('hello')
    const bytes = post('busy', '[60000]')
    const leave = async (sent: Uint8Array): Promise<void> => {
      const socket = await worker.dial()
      socket.write(sent)
      await exchange(worker, request('GET /health', HOST))
      socket.destroy()
    }
    for (const cut of [10, bytes.length - 3, bytes.length]) await leave(bytes.subarray(0, cut))
    await leave(Buffer.concat([bytes, bytes, bytes]))
    await expectWell(worker)
  })

  it('holds no more bodies at a time than there is memory for', { timeout: 60_000 }, async () => {
    await using worker = new TestWorker({ environment: { TURBOLIFT_MAX_BODY_BYTES: '1000000' } })
    const half = post('square', `[${' '.repeat(700_000)}7]`)
    const first = await worker.dial()
    const answered = receiveAll(first)
    first.write(half.subarray(0, 690_000))
    await once(first, 'drain')
    // What the first one has sent is counted when the worker has read it.
    let refused = 0
    while (refused !== 503) refused = toStatuses(await exchange(worker, half))[0] ?? 0
    expect((await call(worker, 'square', '[8]'))[0]).toBe(200)
    first.write(half.subarray(690_000))
    expect(await answered).toMatch(/\r\n\r\n49$/)
    expect(toStatuses(await exchange(worker, half))).toEqual([200])
  })
})

describe('the token', () => {
  it.skipIf(process.platform !== 'linux')(
    'is not in the environment of a worker that got it by its standard input',
    async () => {
      await using worker = new TestWorker({ environment: { TURBOLIFT_LIFELINE: 'stdin', TURBOLIFT_TOKEN: '' } })
      worker.child.stdin?.write('test-token\n')
      await expectWell(worker)
      expect(readFileSync(`/proc/${worker.child.pid}/environ`, 'latin1')).not.toContain('test-token')
    },
  )
})
