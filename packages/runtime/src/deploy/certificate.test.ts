import { X509Certificate, createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:tls'

import { describe, expect, test } from 'vitest'

import { createCertificate } from './certificate.ts'

const request = { host: 'worker.turbolift' }

describe('createCertificate', () => {
  test('names its host, signs itself, and belongs to its key', () => {
    const made = createCertificate(request)
    const parsed = new X509Certificate(made.certificate)
    expect(parsed.checkHost('worker.turbolift')).toBe('worker.turbolift')
    expect(parsed.verify(parsed.publicKey)).toBe(true)
    expect(parsed.checkPrivateKey(createPrivateKey(made.key))).toBe(true)
    expect(parsed.ca).toBe(true)
  })

  test('outlives every run, and is valid for every clock', () => {
    const { validFrom, validTo } = new X509Certificate(createCertificate(request).certificate)
    expect([validFrom, validTo].map((date) => new Date(date).getUTCFullYear())).toEqual([1970, 9999])
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
