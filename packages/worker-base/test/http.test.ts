import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { request as requestHttp } from 'node:http'
import type { IncomingMessage, RequestOptions } from 'node:http'
import { request as requestHttps } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'

import { parse, stringify } from 'devalue'
import { describe, expect, it } from 'vitest'

import { performHandshake } from '../src/wire.ts'
import { TestClient, TestWorker } from './start-worker.ts'

interface Answer {
  readonly status: number | undefined
  readonly type: string | undefined
  readonly body: string
}

const AUTHORIZED = { authorization: 'Bearer test-token', 'content-type': 'application/json' }

async function ask(worker: TestWorker, path: string, options: RequestOptions = {}, body = ''): Promise<Answer> {
  await worker.connect()
  return send(requestHttp, { socketPath: worker.socket, path, ...options }, body)
}

function call(worker: TestWorker, name: string, body: string, headers: Record<string, string> = {}): Promise<Answer> {
  const path = `/call/${encodeURIComponent(`src/main.ts#${name}`)}`
  return ask(worker, path, { method: 'POST', headers: { ...AUTHORIZED, ...headers } }, body)
}

async function send(start: typeof requestHttp, options: RequestOptions, body: string): Promise<Answer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    start(options, resolve).on('error', reject).end(body)
  })
  return { status: response.statusCode, type: response.headers['content-type'], body: await text(response) }
}

describe('HTTP', () => {
  it('answers probes', async () => {
    await using worker = new TestWorker()
    const client = await worker.connect()
    await client.kind('hello')
    expect(await ask(worker, '/health')).toMatchObject({ status: 200, body: 'ok' })
    expect(await ask(worker, '/ready')).toMatchObject({ status: 200, body: '{"status":"ready"}' })
  })

  it('is live but not ready with code that does not load', async () => {
    await using worker = new TestWorker({ functions: 'throw new Error("no start")' })
    const client = await worker.connect()
    await client.kind('failed')
    expect(await ask(worker, '/health')).toMatchObject({ status: 200 })
    expect(await ask(worker, '/ready')).toMatchObject({ status: 503, body: expect.stringContaining('no start') })
  })

  it('runs calls with JSON and with devalue', async () => {
    await using worker = new TestWorker()
    expect(await call(worker, 'square', '[7]')).toEqual({ status: 200, type: 'application/json', body: '49' })
    expect(await call(worker, 'echo', '[{"a":[1,null]}]')).toMatchObject({ body: '{"a":[1,null]}' })
    const value = { when: new Date(5), bytes: Uint8Array.of(1, 2, 3), many: new Map([[1n, undefined]]) }
    const devalue = { 'content-type': 'application/x-devalue' }
    const answer = await call(worker, 'echo', stringify([value]), devalue)
    expect(answer).toMatchObject({ status: 200, type: 'application/x-devalue' })
    expect(parse(answer.body)).toEqual(value)
    expect(await call(worker, 'echo', stringify([1n]), devalue)).toMatchObject({ body: stringify(1n) })
  })

  it('sends a line for each item of a stream', async () => {
    await using worker = new TestWorker()
    expect(await call(worker, 'count', '[3]')).toEqual({ status: 200, type: 'application/x-ndjson', body: '1\n2\n3\n' })
    const failing = await call(worker, 'failing', '[]')
    expect(failing.body.split('\n').slice(0, 2)).toEqual(['1', expect.stringContaining('RangeError')])
  })

  const refusals = [
    ['a missing token', 401, 'square', '[1]', { authorization: '' }],
    ['a wrong token', 401, 'square', '[1]', { authorization: 'Bearer wrong-token' }],
    ['a wrong token, before the body is read', 401, 'square', 'not json', { authorization: 'test-token' }],
    ['an unknown function, with those there are', 404, 'missing', '[1]', {}],
    ['an unknown content type', 415, 'square', '[1]', { 'content-type': 'text/plain' }],
    ['text that is no JSON', 400, 'square', '[1', {}],
    ['JSON that is no array', 400, 'square', '{"n":1}', {}],
    ['text that is no devalue', 400, 'square', '[[9]]', { 'content-type': 'application/x-devalue' }],
    ['a large body', 413, 'square', `[${'1'.repeat(2000)}]`, {}],
    ['a large body of unknown length', 413, 'square', `[${'1'.repeat(2000)}]`, { 'transfer-encoding': 'chunked' }],
    ['an error', 500, 'throwType', '[]', {}],
    ['a function that exits', 500, 'exit', '[]', {}],
    ['a result that JSON cannot hold', 406, 'bigint', '[]', {}],
    ['a result that nothing can hold', 500, 'returnsFunction', '[]', {}],
  ] as const

  it.each(refusals)('answers %s with %i', async (_name, status, name, body, headers) => {
    await using worker = new TestWorker({ environment: { TURBOLIFT_MAX_BODY_BYTES: '1000' } })
    const client = await worker.connect()
    await client.kind('hello')
    const answer = await call(worker, name, body, headers)
    expect(answer).toMatchObject({ status })
    if (status === 404) expect(answer.body).toContain('src/main.ts#square')
    if (name === 'throwType')
      expect(JSON.parse(answer.body)).toMatchObject({ error: { name: 'TypeError', message: 'wrong' } })
  })

  it('takes calls below a prefix, which may hold a "/call/" too', async () => {
    await using worker = new TestWorker()
    const id = encodeURIComponent('src/main.ts#square')
    const options = { method: 'POST', headers: AUTHORIZED }
    expect(await ask(worker, `/jobs/call/${id}`, options, '[3]')).toMatchObject({ status: 200, body: '9' })
    expect(await ask(worker, `/call/center/call/${id}`, options, '[4]')).toMatchObject({ status: 200, body: '16' })
    expect(await ask(worker, `/jobs/${id}`, options, '[3]')).toMatchObject({ status: 404 })
    const stranger = { method: 'POST', headers: { 'content-type': 'application/json' } }
    expect(await ask(worker, `/jobs/call/${id}`, stranger, '[3]')).toMatchObject({ status: 401 })
  })

  it('ends calls whose caller is gone', async () => {
    await using worker = new TestWorker()
    const client = await worker.connect()
    const path = `/call/${encodeURIComponent('src/main.ts#hang')}`
    const request = requestHttp({ socketPath: worker.socket, path, method: 'POST', headers: AUTHORIZED })
    request.on('error', () => undefined).end('[]')
    await client.next((message) => message.kind === 'log' && message.log.text === 'hanging')
    request.destroy()
    expect(await client.call('square', [2])).toMatchObject({ kind: 'result' })
  })

  const upgrades = [
    ['another path', 404, { path: '/elsewhere' }],
    ['another protocol', 400, { headers: { upgrade: 'websocket' } }],
    ['another version', 426, { headers: { upgrade: 'turbolift/999' } }],
    ['no build', 409, { headers: { upgrade: 'turbolift/1' } }],
  ] as const
  it.each(upgrades)('refuses to upgrade to %s with %i', async (_name, status, options: RequestOptions) => {
    await using worker = new TestWorker()
    const headers = { connection: 'upgrade', upgrade: 'turbolift/1', ...AUTHORIZED, ...options.headers }
    expect(await ask(worker, '/connect', { ...options, headers })).toMatchObject({ status })
  })
})

describe('TLS', () => {
  it('covers the whole port', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'turbolift-tls-'))
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const subject = ['-subj', '/CN=worker', '-addext', 'subjectAltName=DNS:worker']
    const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
    execFileSync('openssl', [...made, ...subject, '-keyout', key, '-out', certificate], { stdio: 'ignore' })
    const environment = { TURBOLIFT_LISTEN: '127.0.0.1:0', TURBOLIFT_TLS_CERT: certificate, TURBOLIFT_TLS_KEY: key }
    await using worker = new TestWorker({ environment })
    const port = Number((await worker.listening()).split(':')[1])
    const tls = { host: '127.0.0.1', port, rejectUnauthorized: false }
    expect(await send(requestHttps, { ...tls, path: '/health' }, '')).toMatchObject({ status: 200, body: 'ok' })
    const socket = connectTls(tls)
    await performHandshake(socket, { token: 'test-token', build: 'test-build' })
    const client = new TestClient(socket)
    expect(await client.call('square', [4])).toMatchObject({ kind: 'result', value: { text: '16' } })
    socket.destroy()
    await expect(send(requestHttp, { host: '127.0.0.1', port, path: '/health' }, '')).rejects.toThrow()
    rmSync(folder, { recursive: true })
  })
})
