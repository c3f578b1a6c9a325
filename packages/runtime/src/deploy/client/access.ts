import { Agent as HttpAgent } from 'node:http'
import type { Agent, OutgoingHttpHeaders, RequestOptions } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { RequestOptions as TlsRequestOptions } from 'node:https'

import { performance } from '@turbolift/worker-base/clock'

import { clusterNotConfigured, credentialsFailed } from './errors.ts'
import type { KubeconfigOptions } from './kubeconfig.ts'

/** Where the API server is and who we are there. */
export interface ClusterAccess {
  readonly server: URL
  readonly context: string
  /** Whether connections must go through the authorization's agent, because a proxy stands before the server. */
  readonly isProxied: boolean
  /** Namespace of the context. */
  readonly namespace: string | undefined
  /** What a request needs to be let in. Tokens are kept for a while; `isStale` asks for new ones after a 401. */
  authorize(options?: { readonly isStale: boolean }): Promise<Authorization>
  close(): void
}

export interface Authorization {
  readonly headers: OutgoingHttpHeaders
  /** Shared by all requests: one TLS handshake, not one for each. */
  readonly agent: Agent
  /** For sockets that an agent cannot share (WebSockets). */
  readonly tls: TlsOptions
}

export type TlsOptions = Pick<
  TlsRequestOptions,
  'ca' | 'cert' | 'key' | 'pfx' | 'passphrase' | 'rejectUnauthorized' | 'servername'
>

/** Credentials are read again after this time: tokens in files rotate, and so do client certificates. */
const credentialsAgeMs = 30_000

/** @throws DeployError `CLUSTER_NOT_CONFIGURED` */
export async function openAccess(options: KubeconfigOptions): Promise<ClusterAccess> {
  const { loadKubeconfig } = await import('./kubeconfig.ts')
  const config = load(() => loadKubeconfig(options))
  const cluster = config.getCurrentCluster()
  if (cluster === null) {
    const known = config.getContexts().map(({ name }) => name)
    throw clusterNotConfigured(options.context ?? config.getCurrentContext(), known)
  }
  const server = new URL(cluster.server)
  const isProxied = cluster.proxyUrl !== undefined
  const credentials = createCredentials(async () => {
    // The kubeconfig alone decides, as for kubectl: left open, NODE_TLS_REJECT_UNAUTHORIZED would.
    const applied: TlsRequestOptions = { rejectUnauthorized: !cluster.skipTLSVerify }
    await config.applyToHTTPSOptions(applied)
    return { applied, isProxied }
  }, createAgentPool(server.protocol))
  return {
    server,
    isProxied,
    context: config.getCurrentContext(),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,
    ...credentials,
  }
}

function load<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw clusterNotConfigured(undefined, [], { cause: error })
  }
}

interface Applied {
  readonly applied: TlsRequestOptions
  readonly isProxied: boolean
}

function createCredentials(apply: () => Promise<Applied>, pool: AgentPool): Pick<ClusterAccess, 'authorize' | 'close'> {
  let current: { readonly value: Promise<Authorization>; readonly at: number } | undefined
  return {
    authorize({ isStale } = { isStale: false }) {
      if (current === undefined || isStale || performance.now() - current.at > credentialsAgeMs) {
        const value = apply().then(
          (applied) => toAuthorization(applied, pool),
          (error: unknown) => Promise.reject(credentialsFailed(error)),
        )
        current = { value, at: performance.now() }
        // A failure is not kept: the next request asks the credentials' source again.
        value.catch(() => (current = undefined))
      }
      return current.value
    },
    close: () => pool.close(),
  }
}

function toAuthorization({ applied, isProxied }: Applied, pool: AgentPool): Authorization {
  const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = applied
  const tls = withoutUndefined({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername })
  const headers: OutgoingHttpHeaders = { ...toHeaders(applied.headers) }
  if (typeof applied.auth === 'string')
    headers['authorization'] = `Basic ${Buffer.from(applied.auth).toString('base64')}`
  const agent = isProxied && applied.agent instanceof HttpAgent ? applied.agent : pool.agentFor(tls)
  return { headers, agent, tls }
}

function toHeaders(headers: RequestOptions['headers']): OutgoingHttpHeaders {
  return headers === undefined || isList(headers) ? {} : { ...headers }
}

function isList(headers: NonNullable<RequestOptions['headers']>): headers is readonly string[] {
  return Array.isArray(headers)
}

function withoutUndefined(tls: { readonly [K in keyof TlsOptions]: TlsOptions[K] | undefined }): TlsOptions {
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined))
}

interface AgentPool {
  agentFor(tls: TlsOptions): Agent
  close(): void
}

/** One keep-alive agent, replaced when the certificates change; the old one's idle sockets time out. */
function createAgentPool(protocol: string): AgentPool {
  const create =
    protocol === 'http:'
      ? () => new HttpAgent(keepAlive)
      : (tls: TlsOptions) => new HttpsAgent({ ...tls, ...keepAlive })
  let key: string | undefined
  let agent: Agent | undefined
  return {
    agentFor(tls) {
      const wanted = JSON.stringify(Object.values(tls).map(String))
      if (agent === undefined || wanted !== key) agent = create(tls)
      key = wanted
      return agent
    },
    close: () => agent?.destroy(),
  }
}

const keepAlive = { keepAlive: true, keepAliveMsecs: 15_000, scheduling: 'lifo', timeout: 60_000 } as const
