import { X509Certificate, createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:tls'

import { describe, expect, test } from 'vitest'

import { createCertificate } from './certificate.ts'

const request = { host: 'worker.turbolift', now: new Date(), days: 2 }

describe('createCertificate', () => {
  test('names its host, signs itself, and belongs to its key', () => {
    const made = createCertificate(request)
    const parsed = new X509Certificate(made.certificate)
    expect(parsed.checkHost('worker.turbolift')).toBe('worker.turbolift')
    expect(parsed.verify(parsed.publicKey)).toBe(true)
    expect(parsed.checkPrivateKey(createPrivateKey(made.key))).toBe(true)
    expect(parsed.ca).toBe(true)
    expect(Date.parse(parsed.validTo)).toBeGreaterThan(Date.now() + 86_400_000)
  })

  test('is valid past the year 2050', () => {
    const made = createCertificate({ ...request, days: 40_000 })
    expect(new Date(new X509Certificate(made.certificate).validTo).getUTCFullYear()).toBeGreaterThan(2100)
  })

  test.each([
    ['the run that made it', true],
    ['another run', false],
  ])('TLS with the certificate of %s', async (_, isSame) => {
    const own = createCertificate(request)
    const server = createServer({ cert: own.certificate, key: own.key }, (socket) => socket.end('hello')).listen(0)
    await once(server, 'listening')
    const ca = isSame ? own.certificate : createCertificate(request).certificate
    const { port } = toAddress(server.address())
    const socket = connect({ port, host: '127.0.0.1', ca, servername: 'worker.turbolift' })
    const outcome = await Promise.race([once(socket, 'secureConnect'), once(socket, 'error')]).catch(
      (error: unknown) => [error],
    )
    expect(outcome[0] instanceof Error).toBe(!isSame)
    socket.destroy()
    server.close()
  })
})

function toAddress(address: string | AddressInfo | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new Error('The server does not listen on a port.')
  return address
}
