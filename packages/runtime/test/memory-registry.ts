import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'

import { toDigest } from '../src/deliver/registry.ts'

/** A registry in this process, to which everybody may write, as far as images are pushed and found there. */
export interface MemoryRegistry extends Disposable {
  /** `host:port`. */
  readonly host: string
  /** What it answers for `repository/tag` and `repository/digest`. */
  readonly manifests: Map<string, Buffer>
  readonly blobs: Map<string, Buffer>
}

export async function startMemoryRegistry(): Promise<MemoryRegistry> {
  const manifests = new Map<string, Buffer>()
  const blobs = new Map<string, Buffer>()
  const store = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x')
    const [, repository = '', kind, name = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/(.+)$/.exec(pathname) ?? []
    const known = kind === 'manifests' ? manifests.get(`${repository}/${name}`) : blobs.get(name)
    if (request.method === 'POST') return response.writeHead(202, { location: pathname }).end()
    if (request.method !== 'PUT') return response.writeHead(known === undefined ? 404 : 200).end(known)
    const body = await buffer(request)
    if (kind === 'blobs') blobs.set(searchParams.get('digest') ?? '', body)
    else for (const reference of [name, toDigest(body)]) manifests.set(`${repository}/${reference}`, body)
    return response.writeHead(201).end()
  }
  const server = createServer((request, response) => void store(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${Object(server.address()).port}`
  return { host, manifests, blobs, [Symbol.dispose]: () => server.close().closeAllConnections() }
}
