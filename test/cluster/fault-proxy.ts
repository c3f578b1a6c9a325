import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { RequestOptions } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { connect } from 'node:tls'

import { loadKubeconfig } from '../../packages/runtime/src/deploy/client/kubeconfig.ts'

/**
 * What the proxy does to the connection between a program and the API server.
 * - `partition`: nothing gets through in either direction, and nothing is reset; what was sent arrives when it is over
 * - `restart`: all connections are cut, and new ones refused
 * - `storm`: requests are answered by 429 and 503 in turn
 * - `expire`: watches end with 410
 * - `stall`: watches stay open, but nothing comes through them any more
 */
export type Fault = 'none' | 'partition' | 'restart' | 'storm' | 'expire' | 'stall'

export interface FaultProxy extends AsyncDisposable {
  /** Kubeconfig that leads through the proxy. */
  readonly kubeconfig: string
  /** Lets a fault begin; `none` ends it. */
  inflict(fault: Fault): void
  /** Resolves when a request that matches comes, before it is passed on. */
  seen(pattern: RegExp): Promise<void>
}

interface ApiServer {
  readonly url: URL
  readonly credentials: RequestOptions
}

export async function startFaultProxy(): Promise<FaultProxy> {
  const api = await findApiServer()
  const state = new ProxyState()
  const server = createServer((request, response) => void forward(api, state, request, response))
  server.on('upgrade', (request, socket, head) => void upgrade(api, state, { request, socket, head }))
  server.on('connection', (socket) => state.addConnection(socket))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The proxy does not listen on a port.')
  const kubeconfig = await writeKubeconfig(address.port)
  return {
    kubeconfig: kubeconfig.path,
    inflict: (fault) => state.inflict(fault),
    seen: (pattern) => state.seen(pattern),
    async [Symbol.asyncDispose]() {
      state.inflict('none')
      server.close()
      server.closeAllConnections()
      await kubeconfig.remove()
    },
  }
}

class ProxyState {
  fault: Fault = 'none'
  readonly #connections = new Set<Duplex>()
  readonly #watchers = new Set<{ readonly pattern: RegExp; readonly resolve: () => void }>()
  #open: Promise<void> = Promise.resolve()
  #release: () => void = () => undefined
  #answered = 0

  inflict(fault: Fault): void {
    this.fault = fault
    this.#release()
    if (fault === 'partition' || fault === 'stall') this.#open = new Promise((resolve) => (this.#release = resolve))
    if (fault === 'restart' || fault === 'expire') for (const socket of this.#connections) socket.destroy()
  }

  addConnection(socket: Duplex): void {
    if (this.fault === 'restart') socket.destroy()
    this.#connections.add(socket)
    socket.once('close', () => this.#connections.delete(socket))
  }

  seen(pattern: RegExp): Promise<void> {
    return new Promise((resolve) => this.#watchers.add({ pattern, resolve }))
  }

  note(request: IncomingMessage): void {
    for (const watcher of this.#watchers) {
      if (!watcher.pattern.test(`${request.method} ${request.url}`)) continue
      this.#watchers.delete(watcher)
      watcher.resolve()
    }
  }

  /** Resolves when bytes may pass. */
  async pass({ isWatch }: { readonly isWatch: boolean }): Promise<void> {
    if (this.fault === 'partition' || (this.fault === 'stall' && isWatch)) await this.#open
  }

  stormStatus(): number {
    this.#answered += 1
    return this.#answered % 2 === 0 ? 429 : 503
  }

  /** Lets bytes through when they may pass. */
  gate(isWatch: boolean): Duplex {
    const pass = () => this.pass({ isWatch })
    return Duplex.from(async function* (source: AsyncIterable<Buffer>) {
      for await (const chunk of source) {
        await pass()
        yield chunk
      }
    })
  }
}

async function forward(
  api: ApiServer,
  state: ProxyState,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  state.note(request)
  // What waits for the note may inflict a fault on this very request.
  await new Promise((resolve) => setImmediate(resolve))
  const isWatch = request.url?.includes('watch=true') === true
  await state.pass({ isWatch })
  if (state.fault === 'storm') return answerStatus(response, state.stormStatus(), 'ServiceUnavailable')
  if (state.fault === 'expire' && isWatch) return answerStatus(response, 410, 'Expired')
  const outgoing = httpsRequest(toOptions(api, request))
  outgoing.on('error', () => response.destroy())
  response.on('close', () => outgoing.destroy())
  request.pipe(outgoing)
  outgoing.on('response', (answer) => {
    void state.pass({ isWatch }).then(() => {
      response.writeHead(answer.statusCode ?? 502, answer.headers).flushHeaders()
      answer.pipe(state.gate(isWatch)).pipe(response)
    })
  })
}

interface Upgrade {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

// The API server's bytes, its answer to the upgrade included, go through as they are.
async function upgrade(api: ApiServer, state: ProxyState, { request, socket, head }: Upgrade): Promise<void> {
  state.note(request)
  await state.pass({ isWatch: false })
  const { credentials, url } = api
  const { ca, cert, key } = credentials
  const upstream = connect({ host: url.hostname, port: Number(url.port), ca, cert, key, ALPNProtocols: ['http/1.1'] })
  const lines = Object.entries(toHeaders(api, request)).map(([name, value]) => `${name}: ${value}`)
  upstream.write(`${request.method} ${request.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
  upstream.write(head)
  socket.pipe(state.gate(false)).pipe(upstream)
  upstream.pipe(state.gate(false)).pipe(socket)
  for (const [one, other] of [
    [socket, upstream],
    [upstream, socket],
  ])
    one?.on('error', () => other?.destroy()).on('close', () => other?.destroy())
}

function answerStatus(response: ServerResponse, code: number, reason: string): void {
  response.writeHead(code, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ kind: 'Status', code, reason, message: `${reason}, says the fault proxy` }))
}

function toOptions(api: ApiServer, request: IncomingMessage): RequestOptions {
  const { hostname, port } = api.url
  return {
    ...api.credentials,
    hostname,
    port,
    method: request.method,
    path: request.url,
    headers: toHeaders(api, request),
    agent: false,
  }
}

function toHeaders({ url, credentials }: ApiServer, request: IncomingMessage): Record<string, string> {
  const headers = { ...request.headers, ...credentials.headers, host: url.host }
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

async function findApiServer(): Promise<ApiServer> {
  const config = loadKubeconfig({})
  const credentials: RequestOptions = {}
  await config.applyToHTTPSOptions(credentials)
  return { url: new URL(config.getCurrentCluster()?.server ?? ''), credentials }
}

async function writeKubeconfig(port: number): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'turbolift-faults-'))
  const path = join(folder, 'config')
  const config = {
    'current-context': 'faults',
    clusters: [{ name: 'faults', cluster: { server: `http://127.0.0.1:${port}` } }],
    users: [{ name: 'faults', user: {} }],
    contexts: [{ name: 'faults', context: { cluster: 'faults', user: 'faults' } }],
  }
  await writeFile(path, JSON.stringify(config))
  return { path, remove: () => rm(folder, { recursive: true }) }
}
