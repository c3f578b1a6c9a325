import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, expect, test } from 'vitest'

import { createCertificate } from '../deploy/certificate.ts'
import { findCredentials, parseChallenge } from './registry-auth.ts'
import { Registry } from './registry.ts'

const { signal } = new AbortController()
const login = { username: 'ada', password: 'secret' }
const basic = `Basic ${Buffer.from('ada:secret').toString('base64')}`
const bytes = Buffer.from('layer')
const digest = `sha256:${'a'.repeat(64)}`
const closers: (() => void)[] = []

afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(handler).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  closers.push(() => server.close().closeAllConnections())
  const address = server.address()
  return `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

test('a basic challenge is answered', async () => {
  const host = await serve((request, response) => {
    if (request.headers.authorization === basic) response.writeHead(200, { 'docker-content-digest': digest }).end()
    else response.writeHead(401, { 'www-authenticate': 'Basic realm="registry"' }).end()
  })
  const registry = new Registry({ host, isInsecure: true, credentials: login })
  expect(await registry.findManifest('a/b', 'tag', { signal })).toBe(digest)
})

test('a bearer challenge is answered with a token for the right scope, which is used again', async () => {
  const asked: string[] = []
  const host = await serve((request, response) => {
    if (request.url?.startsWith('/token') === true) {
      asked.push(request.url)
      const isKnown = request.headers.authorization === basic
      response.writeHead(isKnown ? 200 : 401).end(JSON.stringify({ token: 't' }))
    } else if (request.headers.authorization === 'Bearer t') response.writeHead(404).end()
    else response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${host}/token",service="s"` }).end()
  })
  const registry = new Registry({ host, isInsecure: true, credentials: login })
  expect(await registry.findManifest('a/b', 'x', { signal })).toBeUndefined()
  expect(await registry.findManifest('a/b', 'y', { signal })).toBeUndefined()
  expect(asked).toEqual(['/token?service=s&scope=repository%3Aa%2Fb%3Apull'])
})

test('wrong credentials are PUSH_DENIED', async () => {
  const host = await serve((_, response) => {
    response
      .writeHead(401, { 'www-authenticate': 'Basic realm="registry"' })
      .end('{"errors":[{"code":"UNAUTHORIZED"}]}')
  })
  const registry = new Registry({ host, isInsecure: true, credentials: undefined })
  await expect(registry.getManifest('a/b', 'x', { signal })).rejects.toMatchObject({ code: 'PUSH_DENIED' })
})

test('credentials do not follow a redirect to another host', async () => {
  const seen: (string | undefined)[] = []
  const store = await serve((request, response) => {
    seen.push(request.headers.authorization)
    response.end('blob')
  })
  const host = await serve((request, response) => {
    if (request.headers.authorization === undefined)
      response.writeHead(401, { 'www-authenticate': 'Basic realm="registry"' }).end()
    else response.writeHead(307, { location: `http://${store}/stored` }).end()
  })
  const registry = new Registry({ host, isInsecure: true, credentials: login })
  const blob = await registry.getBlob('a/b', digest, { signal })
  expect((await blob.toArray()).join('')).toBe('blob')
  expect(seen).toEqual([undefined])
})

test.each([
  ['that asks for it itself', 'Basic realm="store"'],
  ['that names a place for tokens', 'Bearer realm="http://STORE/token"'],
])('nor do they go to a host %s', async (_, challenge) => {
  const seen: string[] = []
  const store: string = await serve((request, response) => {
    seen.push(`${request.url} ${request.headers.authorization}`)
    response.writeHead(401, { 'www-authenticate': challenge.replace('STORE', store) }).end()
  })
  const host = await serve((request, response) => {
    if (request.headers.authorization === undefined)
      response.writeHead(401, { 'www-authenticate': 'Basic realm="registry"' }).end()
    else if (request.method === 'POST') response.writeHead(202, { location: `http://${store}/stored` }).end()
    else response.writeHead(307, { location: `http://${store}/stored` }).end()
  })
  const registry = new Registry({ host, isInsecure: true, credentials: login })
  const refused = `The registry ${store} answered 401`
  await expect(registry.getBlob('a/b', digest, { signal })).rejects.toThrow(refused)
  await expect(registry.uploadBlob('a/b', digest, bytes, { signal })).rejects.toThrow(refused)
  expect(seen.map((line) => line.replace(/\?.*(?= )/, ''))).toEqual(['/stored undefined', '/stored undefined'])
})

test('a registry with TLS that sends its tokens without gets no login', async () => {
  const asked: (string | undefined)[] = []
  const tokens = await serve((request, response) => {
    asked.push(request.url)
    response.end('{"token":"t"}')
  })
  const { certificate, key } = createCertificate({ host: 'localhost' })
  const secure = createSecureServer({ cert: certificate, key }, (_, response) => {
    response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${tokens}/token"` }).end()
  }).listen(0, '127.0.0.1')
  await once(secure, 'listening')
  closers.push(() => secure.close().closeAllConnections())
  const address = secure.address()
  const host = `localhost:${typeof address === 'object' ? address?.port : ''}`
  const registry = new Registry({ host, isInsecure: false, credentials: login, ca: certificate })
  await expect(registry.ping({ signal })).rejects.toThrow(`asks for the login at http://${tokens}, which has no TLS`)
  expect(asked).toEqual([])
})

test.each(['{}', '<html>'])('a place for tokens that answers %s has its words shown', async (text) => {
  const host = await serve((request, response) => {
    if (request.url === '/token') response.end(text)
    else response.writeHead(401, { 'www-authenticate': 'Bearer realm="/token"' }).end()
  })
  const registry = new Registry({ host, isInsecure: true, credentials: undefined })
  await expect(registry.ping({ signal })).rejects.toThrow(`${host} answered 200 to GET /token: ${text}`)
})

test('what has another digest than it was asked for by is not taken', async () => {
  const host = await serve((_, response) => response.end('something else'))
  const registry = new Registry({ host, isInsecure: true, credentials: undefined })
  await expect(registry.getManifest('a/b', digest, { signal })).rejects.toMatchObject({ code: 'DIGEST_WRONG' })
  await expect(registry.readBlob('a/b', digest, { signal })).rejects.toMatchObject({ code: 'DIGEST_WRONG' })
  expect((await registry.getManifest('a/b', 'tag', { signal })).bytes.toString()).toBe('something else')
})

test('a registry that is not there is REGISTRY_UNREACHABLE, with its name', async () => {
  const registry = new Registry({ host: '127.0.0.1:1', isInsecure: true, credentials: undefined })
  const failure = registry.ping({ signal })
  await expect(failure).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' })
  await expect(failure).rejects.toThrow(/127\.0\.0\.1:1 does not answer: connect ECONNREFUSED/)
})

test('plain HTTP where HTTPS was expected says so', async () => {
  const host = await serve((_, response) => response.end())
  const registry = new Registry({ host, isInsecure: false, credentials: undefined })
  await expect(registry.ping({ signal })).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' })
})

test('any other refusal keeps the words of the registry', async () => {
  const host = await serve((_, response) => response.writeHead(507).end('no space'))
  const registry = new Registry({ host, isInsecure: true, credentials: undefined })
  await expect(registry.ping({ signal })).rejects.toThrow(/answered 507 to GET \/v2\/: no space/)
})

test('the registry is spoken to over a stream that somebody else opened', async () => {
  const host = await serve((request, response) => response.end(JSON.stringify({ tags: [request.headers.host] })))
  const dial = async () => connect(Number(host.split(':')[1]), '127.0.0.1')
  const registry = new Registry({ host: 'registry.ns.svc:5000', isInsecure: true, credentials: undefined, dial })
  expect(await registry.listTags('a/b', { signal })).toEqual(['registry.ns.svc:5000'])
})

test('an aborted request rejects with the reason of the abort', async () => {
  const controller = new AbortController()
  const host = await serve(() => controller.abort(new Error('enough')))
  const registry = new Registry({ host, isInsecure: true, credentials: undefined })
  await expect(registry.ping({ signal: controller.signal })).rejects.toThrow('enough')
})

test('challenges are read in any case, and other schemes are left alone', () => {
  expect(parseChallenge('BEARER realm="r",scope="a b"')).toMatchObject({ scheme: 'bearer', realm: 'r', scope: 'a b' })
  expect(parseChallenge('Negotiate')).toBeUndefined()
})

test('credentials come from a Docker configuration', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'turbolift-docker-'))
  closers.push(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'config.json')
  writeFileSync(file, JSON.stringify({ auths: { 'r.example:5000': { auth: basic.slice(6) } } }))
  expect(await findCredentials('r.example:5000', file)).toEqual(login)
  expect(await findCredentials('other', file)).toBeUndefined()
  await expect(findCredentials('x', join(folder, 'none'))).rejects.toMatchObject({ code: 'DOCKER_CONFIG_INVALID' })
})
