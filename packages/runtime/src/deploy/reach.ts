import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { ConnectionOptions } from 'node:tls'

import { timeoutSignal } from '@turbolift/worker-base/clock'

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
  /** Whether it is known to listen. */
  readonly isReady: boolean
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
  // Behind an ingress, where TLS ends, workers have none.
  const wrap = async (raw: Duplex, signal: AbortSignal) => (ingress === undefined ? secure(raw, pinned, signal) : raw)
  const direct = async ({ address }: PodTarget, signal: AbortSignal) =>
    wrap(await openTcp({ host: address, port: workerPort }, signal), signal)
  const forwarded = async ({ name }: PodTarget, signal: AbortSignal) =>
    wrap(await client.forwardPort(name, workerPort, { signal }), signal)
  if (reach === 'ingress' && ingress !== undefined) {
    return { dial: (_pod, { signal }) => openIngress(ingress, limited(signal, openMs)) }
  }
  if (reach === 'direct') return { dial: (pod, { signal }) => direct(pod, limited(signal, openMs)) }
  if (reach === 'port-forward') return { dial: (pod, { signal }) => forwarded(pod, limited(signal, openMs)) }
  return createAutomatic(direct, forwarded)
}

type Dial = (pod: PodTarget, signal: AbortSignal) => Promise<Duplex>

/** Tries pod addresses with the first pod; if it does not answer there, all go through the API server. */
function createAutomatic(direct: Dial, forwarded: Dial): Routes {
  let known: 'direct' | 'forwarded' | undefined
  const probe = async (pod: PodTarget, signal: AbortSignal) => {
    try {
      const connection = await direct(pod, limited(signal, directMs))
      known = 'direct'
      return connection
    } catch (error) {
      signal.throwIfAborted()
      // Something is at that address, perhaps the pod, which does not listen yet.
      if (!pod.isReady && isRefused(error)) throw error
      known ??= 'forwarded'
      return forwarded(pod, limited(signal, openMs))
    }
  }
  return {
    dial(pod, { signal }) {
      if (known === undefined) return probe(pod, signal)
      return (known === 'direct' ? direct : forwarded)(pod, limited(signal, openMs))
    },
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED'
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
  // What has failed by now would say so to nobody.
  if (raw.errored !== null) throw raw.errored
  // Said here, or NODE_TLS_REJECT_UNAUTHORIZED=0 would let everybody in who answers, and hear the token.
  const socket = connectTls({ ...options, rejectUnauthorized: true, socket: raw })
  raw.on('error', (error) => socket.destroy(error))
  raw.once('close', () => socket.destroy())
  socket.once('close', () => raw.destroy())
  await opened(socket, 'secureConnect', signal)
  return socket
}

async function opened(stream: Duplex, event: string, signal: AbortSignal): Promise<void> {
  // For good: a failing stream may tell its error twice, also when nobody else listens yet or any more.
  stream.on('error', () => stream.destroy())
  try {
    await once(stream, event, { signal })
  } catch (error) {
    stream.destroy()
    throw signal.aborted ? signal.reason : error
  }
}

function limited(signal: AbortSignal, timeoutMs: number): AbortSignal {
  return AbortSignal.any([signal, timeoutSignal(timeoutMs)])
}
