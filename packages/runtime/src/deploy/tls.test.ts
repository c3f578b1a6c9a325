import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { createRecorder } from '../cli/recorder.ts'
import { Registry } from '../deliver/registry.ts'
import { createCertificate } from './certificate.ts'
import { openClient } from './client.ts'
import { workerHost } from './objects.ts'
import { createRoutes } from './reach.ts'

// Somebody with a certificate of his own, in the place of a worker, a registry, an API server or an ingress.
const own = createCertificate({ host: 'localhost' })
const token = 'sesame'

interface Stranger {
  readonly port: number
  /** What it was told. */
  heard(): string
}

let stranger: Stranger
const ends: (() => void)[] = []
beforeEach(async () => {
  // Many set it behind the proxy of a company.
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
  stranger = await startStranger(own)
})
afterEach(() => {
  vi.unstubAllEnvs()
  for (const end of ends.splice(0)) end()
})

async function startStranger({ certificate, key }: typeof own): Promise<Stranger> {
  let text = ''
  const server = createServer({ cert: certificate, key }, (socket) => {
    socket.on('data', (bytes) => (text += String(bytes))).on('error', () => socket.destroy())
  })
  server.on('tlsClientError', () => undefined).listen(0, '127.0.0.1')
  await once(server, 'listening')
  ends.push(() => server.close())
  const { port } = toAddress(server.address())
  return { port, heard: () => text }
}

/** Tells the token to the worker at that port, when that has the certificate which is trusted. */
async function tellWorker(port: number, certificate: string): Promise<void> {
  const { client } = createRecorder('space')
  const forwardPort = async () => connect(port, '127.0.0.1')
  const options = { reach: 'port-forward', certificate, ingress: undefined } as const
  const routes = createRoutes({ client: { ...client, forwardPort }, ...options })
  const signal = AbortSignal.timeout(5000)
  const stream = await routes.dial({ name: 'pod', address: '127.0.0.1', isReady: true }, { signal })
  stream.end(token)
  await once(stream, 'close')
}

describe('with NODE_TLS_REJECT_UNAUTHORIZED=0', () => {
  test('a worker with the certificate of the run hears the token', async () => {
    const trusted = createCertificate({ host: workerHost })
    const worker = await startStranger(trusted)
    await tellWorker(worker.port, trusted.certificate)
    expect(worker.heard()).toBe(token)
  })

  test('another one hears nothing, though it names the same host', async () => {
    const other = await startStranger(createCertificate({ host: workerHost }))
    const { certificate } = createCertificate({ host: workerHost })
    await expect(tellWorker(other.port, certificate)).rejects.toThrow(/self-signed|signature/)
    expect(other.heard()).toBe('')
  })

  test('a registry that cannot show who it is hears no login', async () => {
    const credentials = { username: 'ada', password: token }
    const registry = new Registry({ host: `localhost:${stranger.port}`, isInsecure: false, credentials })
    await expect(registry.ping({ signal: AbortSignal.timeout(5000) })).rejects.toThrow(/self-signed/)
    expect(stranger.heard()).toBe('')
  })

  test('an ingress that cannot show who it is hears no token', async () => {
    const { client } = createRecorder('space')
    const ingress = { host: 'localhost', address: '127.0.0.1', port: stranger.port, tls: true }
    const routes = createRoutes({ client, reach: 'ingress', certificate: '', ingress })
    const dialled = routes.dial({ name: '', address: '', isReady: true }, { signal: AbortSignal.timeout(5000) })
    await expect(dialled).rejects.toThrow(/self-signed/)
  })

  test.each([
    ['is asked nothing', {}, false],
    ['is asked when the kubeconfig says so', { 'insecure-skip-tls-verify': true }, true],
  ])('an API server that cannot show who it is %s', async (_, cluster, isAsked) => {
    const kubeconfig = writeKubeconfig({ server: `https://localhost:${stranger.port}`, ...cluster })
    using client = await openClient({ kubeconfig })
    const asked = client.read('Pod', 'a', { timeoutMs: 500, patienceMs: 500 })
    await expect(asked).rejects.toMatchObject({ code: 'CLUSTER_UNREACHABLE' })
    expect(stranger.heard().includes(token)).toBe(isAsked)
  })
})

function writeKubeconfig(cluster: object): string {
  const folder = mkdtempSync(join(tmpdir(), 'turbolift-tls-'))
  ends.push(() => rmSync(folder, { recursive: true }))
  const config = {
    'current-context': 'x',
    clusters: [{ name: 'x', cluster }],
    users: [{ name: 'x', user: { token } }],
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
  }
  writeFileSync(join(folder, 'config'), JSON.stringify(config))
  return join(folder, 'config')
}

function toAddress(address: string | AddressInfo | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new Error('The server does not listen on a port.')
  return address
}
