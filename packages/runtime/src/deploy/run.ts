import { randomBytes } from 'node:crypto'
import { hostname, userInfo } from 'node:os'

import { wallClock } from '@turbolift/worker-base/clock'

import type { KubernetesConfig } from '../config.ts'
import type { DeliveredCode, Delivery } from '../deliver/delivery.ts'
import { toOwnAddresses } from '../deliver/own-addresses.ts'
import type { LiftManifest } from '../manifest.ts'
import { openAnchor } from './anchor.ts'
import type { Anchor } from './anchor.ts'
import { createCertificate } from './certificate.ts'
import type { KubernetesClient } from './client.ts'
import { toDeployFailure } from './errors.ts'
import { createRunIdentity } from './names.ts'
import type { RunIdentity } from './names.ts'
import { toNetworkPolicy, toRunSecret, workerHost } from './objects.ts'
import { createRoutes } from './reach.ts'
import type { Routes } from './reach.ts'

export interface RunOptions {
  readonly client: KubernetesClient
  readonly config: KubernetesConfig
  readonly manifest: LiftManifest
  readonly delivery: Delivery
  /** Folder with the extracted files. */
  readonly folder: Promise<string>
  /** Told what a build prints, when the user asked to see it, and what could not be tidied up. */
  readonly onLog: (line: string) => void
  readonly signal: AbortSignal
}

/** What all pools of a run share in the cluster. Disposing removes everything of the run. */
export interface ClusterRun extends AsyncDisposable {
  readonly client: KubernetesClient
  readonly run: RunIdentity
  readonly anchor: Anchor
  readonly code: DeliveredCode
  readonly token: string
  readonly routes: Routes
}

/** Creates the anchor, and then, at the same time, brings the code there and makes what protects the workers. */
export async function openRun(options: RunOptions): Promise<ClusterRun> {
  const { client, config, manifest, onLog } = options
  const run = createRunIdentity(manifest.program, config.labels)
  const annotations = toAnnotations()
  const anchor = await openAnchor({ client, run, annotations, graceMs: config.graceMs, signal: options.signal })
  try {
    return await fillRun({ ...options, signal: AbortSignal.any([options.signal, anchor.lost]) }, run, anchor)
  } catch (error) {
    // The first error is the one to report; what is left the cluster removes.
    await anchor[Symbol.asyncDispose]().catch((left: unknown) => onLog(toDeployFailure(left).message))
    throw error
  }
}

async function fillRun(options: RunOptions, run: RunIdentity, anchor: Anchor): Promise<ClusterRun> {
  const { client, config, signal } = options
  const token = randomBytes(32).toString('base64url')
  const { certificate, key } = createCertificate({ host: workerHost })
  const owned = { run, owner: anchor.owner }
  const policy = toNetworkPolicy(owned, { from: toSources(config) })
  const guards = [
    client.create('Secret', toRunSecret(owned, { token, certificate, key }), { signal }),
    ...(config.networkPolicy ? [client.create('NetworkPolicy', policy, { signal })] : []),
  ]
  const delivered = deliver(options, run, anchor)
  // The anchor may only be removed when nothing is being created any more: all are waited for, then failures thrown.
  await Promise.allSettled([delivered, ...guards])
  await Promise.all(guards)
  const code = await delivered
  signal.throwIfAborted()
  const routes = createRoutes({ client, certificate, reach: config.reach, ingress: config.ingress })
  const end = () => anchor[Symbol.asyncDispose]()
  return { client, run, anchor, code, token, routes, [Symbol.asyncDispose]: end }
}

async function deliver(
  { client, config, manifest, delivery, folder, onLog, signal }: RunOptions,
  run: RunIdentity,
  anchor: Anchor,
): Promise<DeliveredCode> {
  const { program, externals } = manifest
  const names = { namespace: client.namespace, namePrefix: run.name, labels: run.labels, owner: anchor.owner }
  const scope = { client, isGuarded: config.networkPolicy, ...names }
  return delivery.deliver({ folder: await folder, program, externals, scope, onLog, signal })
}

/** Not every user has an entry in the system's list: those of containers often have none. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.())
  }
}

/** For people who find the run in the cluster. */
function toAnnotations(): Record<string, string> {
  return {
    'turbolift.dev/host': hostname(),
    'turbolift.dev/pid': String(process.pid),
    'turbolift.dev/user': userName(),
    'turbolift.dev/started': new Date(wallClock()).toISOString(),
  }
}

/** Addresses that the workers are called from. A port-forward comes from the node itself, which always gets through. */
function toSources({ reach, ingress }: KubernetesConfig): readonly string[] | 'anywhere' {
  if (ingress !== undefined) return 'anywhere'
  if (reach === 'port-forward') return []
  return toOwnAddresses()
}
