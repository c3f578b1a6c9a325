import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import type { Kinds, KubernetesClient } from '../../packages/runtime/src/deploy/client.ts'

type Ingress = Kinds['Ingress']

/** A real reverse proxy that does what the Ingress objects of a namespace say, as a controller would. */
export interface IngressController extends AsyncDisposable {
  readonly port: number
  readonly class: string
}

/** Starts Debian's nginx, which is installed when it is missing, and configures it anew with every change. */
export async function startIngressController(client: KubernetesClient): Promise<IngressController> {
  installNginx()
  const folder = await mkdtemp(join(tmpdir(), 'turbolift-nginx-'))
  const port = await findFreePort()
  const ended = new AbortController()
  const write = async (ingresses: readonly Ingress[]) =>
    writeFile(join(folder, 'nginx.conf'), await toConfig({ client, folder, port, ingresses }))
  await write([])
  const nginx = spawn('nginx', ['-p', folder, '-c', 'nginx.conf', '-g', 'daemon off;'], { stdio: 'inherit' })
  // Signals that come earlier would end it.
  await untilExists(join(folder, 'nginx.pid'))
  const configure = async (ingresses: readonly Ingress[]) => {
    await write(ingresses)
    nginx.kill('SIGHUP')
  }
  const following = follow(client, configure, ended.signal).catch((error: unknown) => {
    if (!ended.signal.aborted) throw error
  })
  return {
    port,
    class: 'nginx',
    async [Symbol.asyncDispose]() {
      ended.abort()
      await following
      if (nginx.exitCode === null) {
        const exited = once(nginx, 'exit')
        nginx.kill('SIGTERM')
        await exited
      }
      await rm(folder, { recursive: true })
    },
  }
}

async function follow(
  client: KubernetesClient,
  configure: (ingresses: readonly Ingress[]) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const known = new Map<string, Ingress>()
  for await (const event of client.watch('Ingress', { signal })) {
    if (event.type === 'SYNCED') continue
    const name = event.object.metadata?.name ?? ''
    if (event.type === 'DELETED') known.delete(name)
    else if (event.object.spec?.ingressClassName === 'nginx') known.set(name, event.object)
    await configure([...known.values()])
  }
}

interface ConfigRequest {
  readonly client: KubernetesClient
  readonly folder: string
  readonly port: number
  readonly ingresses: readonly Ingress[]
}

async function toConfig(request: ConfigRequest): Promise<string> {
  const servers = await Promise.all(request.ingresses.map((ingress) => toServer(request, ingress)))
  return `error_log stderr warn;
pid nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
${servers.join('\n')}
}
`
}

async function toServer({ client, folder, port }: ConfigRequest, ingress: Ingress): Promise<string> {
  const annotations = ingress.metadata?.annotations ?? {}
  const setting = (name: string) => annotations[`nginx.ingress.kubernetes.io/${name}`] ?? ''
  const [rule] = ingress.spec?.rules ?? []
  const [path] = rule?.http?.paths ?? []
  const service = await untilService(client, path?.backend.service?.name ?? '')
  // Gone already, and the Ingress with it.
  if (service === undefined) return ''
  const secret = ingress.spec?.tls?.[0]?.secretName
  const files = secret === undefined ? undefined : await writeSecret(client, folder, secret)
  return `  server {
    listen 127.0.0.1:${port}${files === undefined ? '' : ' ssl'};
    server_name ${rule?.host ?? '_'};
    ${files === undefined ? '' : `ssl_certificate ${files}.crt; ssl_certificate_key ${files}.key;`}
    location ${path?.path ?? '/'} {
      proxy_pass http://${service.spec?.clusterIP}:${service.spec?.ports?.[0]?.port};
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_read_timeout ${setting('proxy-read-timeout')}s;
      proxy_send_timeout ${setting('proxy-send-timeout')}s;
      client_max_body_size ${setting('proxy-body-size')};
      proxy_request_buffering ${setting('proxy-request-buffering')};
      proxy_buffering ${setting('proxy-buffering')};
    }
  }`
}

/** Ingress and Service are made at the same time. */
async function untilService(client: KubernetesClient, name: string): Promise<Kinds['Service'] | undefined> {
  for (let tries = 0; tries < 40; tries += 1) {
    const service = await client.read('Service', name)
    if (service !== undefined) return service
    await delay(50)
  }
  return undefined
}

async function untilExists(path: string): Promise<void> {
  for (let tries = 0; tries < 200 && !existsSync(path); tries += 1) await delay(25)
}

async function writeSecret(client: KubernetesClient, folder: string, name: string): Promise<string> {
  const secret = await client.read('Secret', name)
  const path = join(folder, name)
  const decode = (key: string) => Buffer.from(secret?.data?.[key] ?? '', 'base64')
  await writeFile(`${path}.crt`, decode('tls.crt'))
  await writeFile(`${path}.key`, decode('tls.key'), { mode: 0o600 })
  return path
}

function installNginx(): void {
  if (existsSync('/usr/sbin/nginx')) return
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (const step of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', 'nginx-light'],
  ]) {
    const { status, stderr } = spawnSync('apt-get', step, { env, encoding: 'utf8' })
    if (status !== 0) throw new Error(`nginx could not be installed: ${stderr}`)
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('There is no free port.')
  return address.port
}
