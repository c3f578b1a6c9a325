import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { REGISTRY } from './build-site.ts'

/** A reverse proxy before the test registry that wants a login, or speaks TLS with a private authority. */
export interface RegistryGuard extends AsyncDisposable {
  /** `host:port`, as pods and this program reach it. */
  readonly host: string
  readonly port: number
  /** Certificates of the authority, PEM. */
  readonly caFile: string
}

export interface GuardOptions {
  readonly login?: { readonly username: string; readonly password: string }
  readonly isSecure?: boolean
}

export async function startGuard({ login, isSecure = false }: GuardOptions): Promise<RegistryGuard> {
  const folder = mkdtempSync(join(tmpdir(), 'turbolift-guard-'))
  const ip = REGISTRY.replace(/:\d+$/, '')
  const wanted = login === undefined ? undefined : `Basic ${btoa(`${login.username}:${login.password}`)}`
  const handler = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    if (wanted !== undefined && incoming.headers.authorization !== wanted) {
      incoming.resume()
      outgoing.writeHead(401, { 'www-authenticate': 'Basic realm="guard"' })
      outgoing.end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}')
    } else forward(incoming, outgoing, isSecure ? 'https' : 'http')
  }
  const server = isSecure ? createTlsServer(makeCertificate(folder, ip), handler) : createServer(handler)
  // On all addresses: nodes know it as localhost, pods by the address of the machine.
  await once(server.listen(0, '0.0.0.0'), 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  return {
    host: `${ip}:${port}`,
    port,
    caFile: join(folder, 'tls.crt'),
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      rmSync(folder, { recursive: true })
    },
  }
}

function forward(incoming: IncomingMessage, outgoing: ServerResponse, protocol: string): void {
  const { authorization: _, ...headers } = incoming.headers
  const upstream = request(`http://${REGISTRY}${incoming.url ?? ''}`, {
    method: incoming.method,
    // The registry writes its redirects for the name that the client used.
    headers: { ...headers, 'x-forwarded-proto': protocol },
  })
  upstream.on('response', (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(outgoing)
  })
  upstream.on('error', () => outgoing.destroy())
  incoming.pipe(upstream)
}

function makeCertificate(folder: string, ip: string): { readonly key: Buffer; readonly cert: Buffer } {
  const [key, cert] = [join(folder, 'tls.key'), join(folder, 'tls.crt')]
  const subject = ['-subj', '/CN=registry-guard', '-addext', `subjectAltName=IP:${ip},DNS:localhost`]
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-keyout', key, '-out', cert, ...subject]
  execFileSync('openssl', args, { stdio: 'ignore' })
  return { key: readFileSync(key), cert: readFileSync(cert) }
}
