import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, describe, expect, test } from 'vitest'

import { openClient } from './client.ts'
import type { KubernetesClient } from './client.ts'

// An API server that answers what it is told to, one handler for each request in turn; the last stays.
type Handler = (request: IncomingMessage, response: ServerResponse) => void

interface FakeServer {
  readonly client: KubernetesClient
  readonly requests: string[]
}

const endings: (() => void)[] = []
afterEach(() => {
  for (const end of endings.splice(0)) end()
})

async function serve(...handlers: readonly Handler[]): Promise<FakeServer & { readonly warnings: string[] }> {
  const requests: string[] = []
  const warnings: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    handlers[Math.min(requests.length, handlers.length) - 1]?.(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const kubeconfig = writeKubeconfig(server)
  const client = await openClient({ kubeconfig: kubeconfig.path, onWarning: (text) => warnings.push(text) })
  endings.push(() => {
    client[Symbol.dispose]()
    server.closeAllConnections()
    server.close()
    kubeconfig.remove()
  })
  return { client, requests, warnings }
}

function writeKubeconfig(server: Server): { readonly path: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'turbolift-kubeconfig-'))
  const { port } = toAddress(server.address())
  const config = {
    'current-context': 'fake',
    clusters: [{ name: 'fake', cluster: { server: `http://127.0.0.1:${port}` } }],
    users: [{ name: 'me', user: { token: 'secret' } }],
    contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'me', namespace: 'space' } }],
  }
  writeFileSync(join(folder, 'config'), JSON.stringify(config))
  return { path: join(folder, 'config'), remove: () => rmSync(folder, { recursive: true }) }
}

const answer =
  (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Handler =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(body))
  }
const refuse = (code: number, reason: string, message: string, more: object = {}, headers = {}) =>
  answer(code, { kind: 'Status', code, reason, message, ...more }, headers)
const drop: Handler = (request) => request.socket.destroy()
const silence: Handler = () => undefined
const map = (name: string, version = '1', uid = name) => ({ metadata: { name, uid, resourceVersion: version } })

describe('requests', () => {
  test('are repeated after lost connections, 429, 500 and 503', async () => {
    const busy = refuse(429, 'TooManyRequests', 'slow down', {}, { 'retry-after': '0' })
    const { client, requests } = await serve(
      drop,
      busy,
      refuse(503, 'ServiceUnavailable', 'x'),
      refuse(500, 'InternalError', 'x'),
      answer(200, map('a')),
    )
    expect((await client.read('ConfigMap', 'a'))?.metadata?.name).toBe('a')
    expect(requests).toHaveLength(5)
  })

  test('wait as long as the server asks', async () => {
    const busy = refuse(429, 'TooManyRequests', 'slow down', {}, { 'retry-after': '1' })
    const { client } = await serve(busy, answer(200, map('a')))
    const began = performance.now()
    await client.read('ConfigMap', 'a')
    expect(performance.now() - began).toBeGreaterThanOrEqual(990)
  })

  test('that nobody answers end with what was tried', async () => {
    const { client } = await serve(silence)
    const read = client.read('ConfigMap', 'a', { timeoutMs: 50, patienceMs: 100 })
    await expect(read).rejects.toMatchObject({
      code: 'CLUSTER_UNREACHABLE',
      message: expect.stringMatching(/no answer within 50 ms/),
    })
  })

  test('end with the reason of their signal', async () => {
    const { client } = await serve(silence)
    const read = client.read('ConfigMap', 'a', { signal: AbortSignal.abort(new Error('enough')) })
    await expect(read).rejects.toThrow('enough')
  })

  test('a created object that is there after a lost answer counts as created', async () => {
    const { client } = await serve(drop, refuse(409, 'AlreadyExists', 'exists'), answer(200, map('a')))
    expect((await client.create('ConfigMap', { metadata: { name: 'a' } })).metadata?.uid).toBe('a')
  })

  test('an object that somebody else created is refused', async () => {
    const { client } = await serve(refuse(409, 'AlreadyExists', 'exists'))
    await expect(client.create('ConfigMap', { metadata: { name: 'a' } })).rejects.toMatchObject({
      status: { reason: 'AlreadyExists' },
    })
  })

  test('tell warnings, each once', async () => {
    const warned = answer(200, map('a'), { warning: '299 - "would violate \\"restricted\\""' })
    const { client, warnings } = await serve(warned)
    await client.read('ConfigMap', 'a')
    await client.read('ConfigMap', 'a')
    expect(warnings).toEqual(['would violate "restricted"'])
  })
})

describe('refusals have a code for their reason', () => {
  const forbidden = 'configmaps is forbidden: User "u" cannot list resource "configmaps" in API group ""'
  const cases: readonly [string, Handler, RegExp][] = [
    ['CLUSTER_PERMISSION_DENIED', refuse(403, 'Forbidden', forbidden), /cannot list resource "configmaps"/],
    [
      'CLUSTER_PERMISSION_DENIED',
      refuse(
        403,
        'Forbidden',
        'secrets "s" is forbidden: cannot set blockOwnerDeletion if an ownerReference refers to …',
      ),
      /fix: .*"update" on "jobs\/finalizers"/,
    ],
    ['QUOTA_EXCEEDED', refuse(403, 'Forbidden', 'pods "p" is forbidden: exceeded quota: q'), /exceeded quota/],
    [
      'POD_SECURITY_REFUSED',
      refuse(403, 'Forbidden', 'pods "p" is forbidden: violates PodSecurity "baseline"'),
      /baseline/,
    ],
    ['NAMESPACE_MISSING', refuse(404, 'NotFound', 'namespaces "space" not found'), /"space" not found/],
    [
      'NAMESPACE_TERMINATING',
      refuse(403, 'Forbidden', 'because it is being terminated', {
        details: { causes: [{ reason: 'NamespaceTerminating' }] },
      }),
      /terminated/,
    ],
    ['CLUSTER_UNAUTHORIZED', refuse(401, 'Unauthorized', 'Unauthorized'), /Unauthorized/],
    ['CLUSTER_REQUEST_FAILED', (_, response) => response.writeHead(418).end('a teapot'), /a teapot/],
  ]
  test.each(cases)('%s', async (code, handler, message) => {
    const { client } = await serve(handler)
    await expect(client.list('ConfigMap')).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })
})

describe('watch', () => {
  const list = (version: string, ...items: readonly object[]) =>
    answer(200, { metadata: { resourceVersion: version }, items })
  const lines =
    (events: readonly object[], { end }: { readonly end: boolean } = { end: false }): Handler =>
    (_request, response) => {
      response.writeHead(200).flushHeaders()
      for (const event of events) response.write(`${JSON.stringify(event)}\n`)
      if (end) response.end()
    }

  /** The first events, as `TYPE name`. */
  async function take(
    client: KubernetesClient,
    count: number,
    options: { readonly inactivityMs?: number } = {},
  ): Promise<readonly string[]> {
    const seen: string[] = []
    const enough = new AbortController()
    endings.push(() => enough.abort())
    for await (const event of client.watch('ConfigMap', { ...options, signal: enough.signal })) {
      seen.push(event.type === 'SYNCED' ? 'SYNCED' : `${event.type} ${event.object.metadata?.name}`)
      if (seen.length === count) break
    }
    return seen
  }

  test('tells what exists, then what changes', async () => {
    const { client } = await serve(
      list('5', map('a', '3')),
      lines([
        { type: 'ADDED', object: map('b', '6') },
        { type: 'DELETED', object: map('a', '7') },
      ]),
    )
    expect(await take(client, 4)).toEqual(['ADDED a', 'SYNCED', 'ADDED b', 'DELETED a'])
  })

  test('goes on from the last version, bookmarks included, when its connection ends', async () => {
    const bookmark = { type: 'BOOKMARK', object: map('', '9') }
    const { client, requests } = await serve(
      list('5'),
      lines([bookmark], { end: true }),
      drop,
      lines([{ type: 'ADDED', object: map('b', '10') }]),
    )
    expect(await take(client, 2)).toEqual(['SYNCED', 'ADDED b'])
    expect(requests.slice(2).every((request) => request.includes('resourceVersion=9'))).toBe(true)
  })

  test.each([
    ['in the stream', lines([{ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } }])],
    ['as status', refuse(410, 'Expired', 'too old resource version')],
  ])('lists anew when its version has expired (%s), and tells what it missed', async (_, expired) => {
    const after = list('20', map('b', '4'), map('c', '15'))
    const { client } = await serve(list('5', map('a', '3'), map('b', '4')), expired, after, lines([]))
    expect(await take(client, 6)).toEqual(['ADDED a', 'ADDED b', 'SYNCED', 'DELETED a', 'ADDED c', 'SYNCED'])
  })

  test('is opened anew when it falls silent', async () => {
    const { client } = await serve(list('5'), lines([]), lines([{ type: 'ADDED', object: map('b', '6') }]))
    expect(await take(client, 2, { inactivityMs: 50 })).toEqual(['SYNCED', 'ADDED b'])
  })

  test('reads lists in pages', async () => {
    const first = answer(200, { metadata: { resourceVersion: '5', continue: 'next' }, items: [map('a')] })
    const { client, requests } = await serve(first, list('5', map('b')), lines([]))
    expect(await take(client, 3)).toEqual(['ADDED a', 'ADDED b', 'SYNCED'])
    expect(requests[1]).toContain('continue=next')
  })

  test('ends with what does not pass', async () => {
    const { client } = await serve(list('5'), refuse(403, 'Forbidden', 'cannot watch resource'))
    await expect(take(client, 2)).rejects.toMatchObject({ code: 'CLUSTER_PERMISSION_DENIED' })
  })
})

function toAddress(address: string | AddressInfo | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new Error('The server does not listen on a port.')
  return address
}
