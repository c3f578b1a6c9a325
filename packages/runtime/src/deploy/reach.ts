import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { ConnectionOptions } from 'node:tls'

import type { KubernetesClient } from './client.ts'
import { workerHost, workerPort } from './objects.ts'
import type { IngressInput, Reach } from './options.ts'

/** Networks that do not lead to pods drop packets: no answer within this time counts as none. */
const directMs = 300
const openMs = 10_000

/** A pod that is to be connected to. */
export interface PodTarget {
  readonly name: string
  readonly address: string
}

export interface RoutesOptions {
  readonly client: KubernetesClient
  readonly reach: Reach
  /** The run's certificate: only workers that have it are talked to. */
  readonly certificate: string
  readonly ingress: IngressInput | undefined
}

/** The ways to a run's workers. */
export interface Routes {
  /** Opens a connection, ready for the handshake. */
  dial(pod: PodTarget, options: { readonly signal: AbortSignal }): Promise<Duplex>
}

export function createRoutes({ client, reach, certificate, ingress }: RoutesOptions): Routes {
  const pinned: ConnectionOptions = { ca: certificate, servername: workerHost, minVersion: 'TLSv1.3' }
  const direct = async ({ address }: PodTarget, signal: AbortSignal) =>
    secure(await openTcp({ host: address, port: workerPort }, signal), pinned, signal)
  const forwarded = async ({ name }: PodTarget, signal: AbortSignal) =>
    secure(await client.forwardPort(name, workerPort, { signal }), pinned, signal)
  if (reach === 'ingress' && ingress !== undefined) {
    return { dial: (_pod, { signal }) => openIngress(ingress, limited(signal, openMs)) }
  }
  if (reach === 'direct') return { dial: (pod, { signal }) => direct(pod, limited(signal, openMs)) }
  if (reach === 'port-forward') return { dial: (pod, { signal }) => forwarded(pod, limited(signal, openMs)) }
  return createAutomatic(direct, forwarded)
}

type Dial = (pod: PodTarget, signal: AbortSignal) => Promise<Duplex>

/** Tries pod addresses once, with the first pod; if it does not answer, all go through the API server. */
function createAutomatic(direct: Dial, forwarded: Dial): Routes {
  let isDirect: Promise<boolean> | undefined
  let opened: Duplex | undefined
  const probe = async (pod: PodTarget, signal: AbortSignal) => {
    try {
      opened = await direct(pod, limited(signal, directMs))
      return true
    } catch {
      // No way there, or something else lives at that address: the other way is known to work.
      signal.throwIfAborted()
      return false
    }
  }
  return {
    async dial(pod, { signal }) {
      const isFirst = isDirect === undefined
      isDirect ??= probe(pod, signal)
      const way = (await isDirect.catch(() => false)) ? direct : forwarded
      const first = isFirst ? opened : undefined
      return first ?? way(pod, limited(signal, openMs))
    },
  }
}

/** Behind an ingress the controller chooses the worker; TLS ends there, and the token guards the rest. */
async function openIngress(ingress: IngressInput, signal: AbortSignal): Promise<Duplex> {
  const isSecure = ingress.tls !== undefined && ingress.tls !== false
  const host = ingress.address ?? ingress.host
  const raw = await openTcp({ host, port: ingress.port ?? (isSecure ? 443 : 80) }, signal)
  if (!isSecure) return raw
  const ca = ingress.caFile === undefined ? {} : { ca: await readFile(ingress.caFile) }
  return secure(raw, { servername: ingress.host, ...ca }, signal)
}

async function openTcp(target: { readonly host: string; readonly port: number }, signal: AbortSignal): Promise<Duplex> {
  const socket = connect({ ...target, noDelay: true, keepAlive: true, keepAliveInitialDelay: 15_000 })
  // Pending calls keep the program alive; an idle connection does not.
  socket.unref()
  await opened(socket, 'connect', signal)
  return socket
}

async function secure(raw: Duplex, options: ConnectionOptions, signal: AbortSignal): Promise<Duplex> {
  const socket = connectTls({ ...options, socket: raw })
  raw.once('error', (error) => socket.destroy(error))
  raw.once('close', () => socket.destroy())
  socket.once('close', () => raw.destroy())
  await opened(socket, 'secureConnect', signal)
  return socket
}

async function opened(stream: Duplex, event: string, signal: AbortSignal): Promise<void> {
  try {
    await once(stream, event, { signal })
  } catch (error) {
    // Nobody listens any more, and an unheard error would end the program.
    stream.on('error', () => stream.destroyed)
    stream.destroy()
    throw signal.aborted ? signal.reason : error
  }
}

function limited(signal: AbortSignal, timeoutMs: number): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
}
