import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'

import { afterEach, expect, test } from 'vitest'

import { appendLayer } from './append.ts'
import { Registry, toDigest } from './registry.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

type Handler = (request: IncomingMessage, response: ServerResponse) => void

async function serve(handler: Handler): Promise<Registry> {
  const server = createServer(handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => server.close().closeAllConnections())
  const host = `127.0.0.1:${Object(server.address()).port}`
  return new Registry({ host, isInsecure: true, credentials: undefined })
}

const config = Buffer.from('{}')
const layer = { mediaType: 'layer', size: 1_000_000, digest: `sha256:${'a'.repeat(64)}` }
const manifest = JSON.stringify({ config: { mediaType: 'c', size: 2, digest: toDigest(config) }, layers: [layer] })

/** A base image of one layer, which is answered by `onLayer`. */
const base =
  (onLayer: Handler): Handler =>
  (request, response) => {
    if (request.url?.includes('/manifests/') === true) response.end(manifest)
    else if (request.url?.endsWith(toDigest(config)) === true) response.end(config)
    else onLayer(request, response)
  }

async function append(source: Registry, target: Registry): Promise<string> {
  const context = { files: [], dockerfile: '', key: 'key' }
  const names = { baseImage: `${source.host}/node:20`, architecture: 'amd64', repository: 'a/b', tag: 'key' }
  return appendLayer({ context, ...names, source, target, signal: AbortSignal.timeout(10_000) })
}

const takesAll: Handler = (request, response) => {
  request.resume()
  if (request.method === 'HEAD') response.writeHead(404).end()
  else if (request.method === 'POST') response.writeHead(202, { location: '/upload' }).end()
  else request.once('end', () => response.writeHead(201).end())
}

test('a layer that breaks off names the registry that it came from', async () => {
  const source = await serve(
    base((_, response) => {
      response.writeHead(200, { 'content-length': layer.size })
      response.write(Buffer.alloc(1000), () => response.destroy())
    }),
  )
  const built = append(source, await serve(takesAll))
  await expect(built).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' })
  await expect(built).rejects.toThrow(`The registry ${source.host} does not answer`)
})

test('a layer that is not taken names the registry that it was for', async () => {
  const source = await serve(base((_, response) => response.writeHead(200).end(Buffer.alloc(layer.size))))
  const target = await serve((request, response) => {
    if (request.method === 'PUT') request.once('data', () => request.socket.destroy())
    else takesAll(request, response)
  })
  const built = append(source, target)
  await expect(built).rejects.toThrow(`The registry ${target.host} does not answer`)
})

test('a page in place of a manifest is no image', async () => {
  const source = await serve((_, response) => response.end('<html>Log in to the proxy</html>'))
  await expect(append(source, await serve(takesAll))).rejects.toMatchObject({ code: 'BASE_IMAGE_UNSUITABLE' })
})
