import type { KubernetesObject } from '@kubernetes/client-node'

import { forgetImages } from '../deliver/image-record.ts'
import { toRegistry, toRepository } from '../deliver/registry-place.ts'
import { removeAnchor } from '../deploy/anchor.ts'
import { isRefusal, type Kind, type KubernetesClient } from '../deploy/client.ts'
import { managedSelector, runLabel } from '../deploy/names.ts'
import { toVisibleLine } from '../visible-text.ts'
import { clusterExplanations, clusterOptions, openCluster, type ProgramConfig } from './cluster.ts'
import { type Command, type CommandCall, flagOption, textOption, wrongUsage } from './command.ts'
import { findLastingRegistry } from './registry-in-use.ts'
import { listRuns } from './runs.ts'

export const prune: Command = {
  about: 'Removes what dead runs left, and images that no run uses.',
  usage: '[--images [--program <name>]] [--dry-run]',
  options: {
    ...clusterOptions,
    images: { type: 'boolean' },
    program: { type: 'string' },
    'dry-run': { type: 'boolean' },
  },
  explain: {
    ...clusterExplanations,
    images: 'also images of the program that no pod of the namespace uses',
    program: 'whose images; default: the program of the bundle',
    'dry-run': 'only say what would be removed',
  },
  async run(call) {
    const cluster = await openCluster(call)
    const isDry = flagOption(call, 'dry-run')
    const found = [
      ...(await pruneRuns(cluster.client, call, isDry)),
      ...(await pruneOrphans(cluster.client, call, isDry)),
    ]
    if (flagOption(call, 'images')) found.push(...(await pruneImages(cluster, call, isDry)))
    if (found.length === 0) call.output.print('There was nothing to remove.')
    cluster.client[Symbol.dispose]()
    return 0
  },
}

const prunedKinds: readonly Kind[] = [
  'Deployment',
  'Pod',
  'Service',
  'ConfigMap',
  'HorizontalPodAutoscaler',
  'Ingress',
  'NetworkPolicy',
]

/** Runs whose time is up, where the cluster itself did not see to it. */
async function pruneRuns(client: KubernetesClient, call: CommandCall, isDry: boolean): Promise<string[]> {
  const runs = await listRuns(client, call)
  const dead = runs.filter(
    ({ state, leftSeconds }) => state === 'expired' || (leftSeconds !== undefined && leftSeconds < -30),
  )
  if (!isDry) await Promise.all(dead.map((run) => removeAnchor(client, run, run.uid)))
  return report(
    dead.map(({ name }) => `run ${name}`),
    call,
    isDry,
  )
}

/** Objects whose run has no anchor any more. The cluster's garbage collector should have had them. */
async function pruneOrphans(client: KubernetesClient, call: CommandCall, isDry: boolean): Promise<string[]> {
  const { signal } = call
  const alive = new Set((await listRuns(client, call)).map(({ id }) => id))
  const removed: string[] = []
  for (const kind of prunedKinds) {
    const objects = await listKind(client, kind, call)
    for (const { metadata } of objects) {
      const run = metadata?.labels?.[runLabel]
      if (run === undefined || alive.has(run) || metadata?.deletionTimestamp !== undefined) continue
      const name = metadata?.name ?? ''
      if (!isDry) await client.remove(kind, name, { uid: metadata?.uid, signal })
      removed.push(`${kind} ${name}`)
    }
  }
  return report(removed, call, isDry)
}

async function listKind(
  client: KubernetesClient,
  kind: Kind,
  { output, signal }: CommandCall,
): Promise<readonly KubernetesObject[]> {
  try {
    return await client.list(kind, { labelSelector: `${managedSelector},${runLabel}`, signal })
  } catch (error) {
    if (!isRefusal(error, 'Forbidden')) throw error
    output.note(`Objects of kind ${kind} could not be looked at: ${error.status.message}`)
    return []
  }
}

async function pruneImages(
  cluster: ProgramConfig & { readonly client: KubernetesClient },
  call: CommandCall,
  isDry: boolean,
): Promise<string[]> {
  const { signal } = call
  const program = textOption(call, 'program') ?? cluster.manifest?.program
  if (program === undefined)
    throw wrongUsage('"turbolift prune --images" needs a program.', 'Name it with --program or --bundle.')
  const place = await findLastingRegistry({ ...cluster, signal })
  if (place === undefined)
    throw wrongUsage(
      'There is no registry to look at.',
      'Set TURBOLIFT_REGISTRY; one that is started for a run goes with it.',
    )
  const registry = toRegistry(place)
  const repository = toRepository(place.host, program)
  const used = await findUsedDigests(cluster.client, signal)
  const removed: string[] = []
  const gone = new Set<string>()
  for (const tag of await registry.listTags(repository, { signal })) {
    const digest = await registry.findManifest(repository, tag, { signal })
    if (digest === undefined || used.has(digest)) continue
    if (!isDry) await registry.deleteManifest(repository, digest, { signal })
    gone.add(digest)
    removed.push(`image ${place.host}/${repository}:${tag}`)
  }
  const { client } = cluster
  if (!isDry) await forgetImages({ client, namespace: client.namespace, signal }, gone)
  return report(removed, call, isDry)
}

/** Of pods, and of pools that have none just now. */
async function findUsedDigests(client: KubernetesClient, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const [pods, pools] = await Promise.all([client.list('Pod', { signal }), client.list('Deployment', { signal })])
  const specs = [...pods.map(({ spec }) => spec), ...pools.map(({ spec }) => spec?.template.spec)]
  const images = specs.flatMap((spec) => spec?.containers.map(({ image }) => image ?? '') ?? [])
  return new Set(images.flatMap((image) => /sha256:[0-9a-f]{64}$/.exec(image)?.[0] ?? []))
}

function report(removed: readonly string[], { output }: CommandCall, isDry: boolean): string[] {
  for (const name of removed) output.print(`${toVisibleLine(name)} ${isDry ? 'would be removed' : 'is gone'}`)
  return [...removed]
}
