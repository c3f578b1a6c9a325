import type { ClusterInput } from './options.ts'
import type { KubernetesConfig, PoolConfig } from '../config.ts'
import { toMergePatched } from './merge-patch.ts'
import { toPoolName } from './names.ts'
import { toAutoscaler, toService } from './objects.ts'
import type { PoolObjects } from './objects.ts'
import type { DeployRequest, Deployment } from './platform.ts'
import { toHttpRoute, toIngress, toRoutePath } from './routes.ts'
import type { ClusterRun } from './run.ts'
import { createScale } from './scale.ts'
import type { Scale } from './scale.ts'
import { PoolWatch } from './pool-watch.ts'
import { toWorkerDeployment } from './worker-objects.ts'

const defaultMaxReplicas = 10
const defaultStartTimeoutMs = 300_000

export interface PoolOptions {
  readonly run: ClusterRun
  readonly request: DeployRequest
  readonly pool: PoolConfig
  readonly cluster: KubernetesConfig
  /** What user code sees behind the first word of `process.argv`. */
  readonly programArguments: readonly string[]
}

/** Creates the objects of a pool, without any worker yet. */
export async function openPool(options: PoolOptions): Promise<Deployment> {
  const { run, request, pool, cluster, programArguments } = options
  const maxReplicas = pool.maxReplicas ?? defaultMaxReplicas
  const slotsPerWorker = pool.concurrency ?? Math.max(1, Math.ceil(parseCpu(cluster.resources?.cpu ?? '500m')))
  const objects: PoolObjects = {
    run: run.run,
    owner: run.anchor.owner,
    pool: request.pool,
    functions: functionsOf(request),
    code: run.code,
    build: request.manifest.hash,
    concurrency: slotsPerWorker,
    timeoutMs: pool.timeoutMs ?? 0,
    programArguments,
    options: cluster,
    isSecure: cluster.ingress === undefined,
  }
  await createObjects(options, objects, { minReplicas: pool.minReplicas, maxReplicas })
  return new PoolDeployment(options, { objects, slotsPerWorker, maxReplicas })
}

function functionsOf({ manifest, pool }: DeployRequest): readonly string[] {
  return Object.entries(manifest.functions).flatMap(([id, entry]) => (entry.pool === pool ? [id] : []))
}

interface PoolShape {
  readonly objects: PoolObjects
  readonly slotsPerWorker: number
  readonly maxReplicas: number
}

class PoolDeployment implements Deployment {
  readonly slotsPerWorker: number
  readonly maxReplicas: number
  readonly isSizedElsewhere: boolean
  readonly #name: string
  readonly #run: ClusterRun
  readonly #watch: PoolWatch
  readonly #scale: Scale
  readonly #ended: AbortController = new AbortController()

  constructor({ run, request, pool, cluster }: PoolOptions, { objects, slotsPerWorker, maxReplicas }: PoolShape) {
    this.slotsPerWorker = slotsPerWorker
    this.maxReplicas = maxReplicas
    this.isSizedElsewhere = cluster.autoscale !== 'queue'
    this.#run = run
    this.#name = toPoolName(run.run, request.pool)
    const { events } = request
    const signal = AbortSignal.any([this.#ended.signal, run.anchor.lost])
    const startTimeoutMs = pool.startTimeoutMs ?? defaultStartTimeoutMs
    this.#watch = new PoolWatch({
      run,
      objects,
      name: this.#name,
      events,
      startTimeoutMs,
      route: toRoute(objects),
      signal,
    })
    this.#scale = createScale({
      client: run.client,
      name: this.#name,
      autoscale: cluster.autoscale,
      minReplicas: pool.minReplicas,
      signal,
      onFailed: (error) => events.onFailed(error),
    })
  }

  scaleTo(replicas: number, { idle }: { readonly idle: readonly string[] } = { idle: [] }): void {
    const wanted = Math.min(replicas, this.maxReplicas)
    this.#watch.expect(wanted)
    this.#scale.to(wanted, idle)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended.signal.aborted) return
    this.#ended.abort(new Error('The pool ends.'))
    if (this.#run.anchor.lost.aborted) return
    // Workers are asked to end now; the rest goes with the run. In the foreground, since the run's end is only seen to
    // be the end of everything while each object waits for those that it owns.
    const removal = this.#run.client.remove('Deployment', this.#name, { propagation: 'Foreground', patienceMs: 3_000 })
    // When the cluster is away, the end of the run says so, and its owner takes the Deployment along.
    await removal.catch((error: unknown) => error)
  }
}

function toRoute(objects: PoolObjects): { readonly host: string; readonly path: string } | undefined {
  const { reach, ingress } = objects.options
  if (reach !== 'ingress' || ingress === undefined) return undefined
  return { host: ingress.host, path: `${toRoutePath(objects, ingress)}/connect` }
}

async function createObjects(
  { run, request, cluster }: PoolOptions,
  objects: PoolObjects,
  limits: { readonly minReplicas: number; readonly maxReplicas: number },
): Promise<void> {
  const { client } = run
  const { signal } = request
  const { ingress, autoscale, patch } = cluster
  const route = ingress?.gateway === undefined ? ingress : undefined
  const gateway = ingress?.gateway
  await Promise.all([
    client.create('Deployment', patched('Deployment', toWorkerDeployment(objects), patch), { signal }),
    ...(autoscale === 'cpu'
      ? [
          client.create(
            'HorizontalPodAutoscaler',
            patched('HorizontalPodAutoscaler', toAutoscaler(objects, limits), patch),
            { signal },
          ),
        ]
      : []),
    ...(ingress === undefined
      ? []
      : [client.create('Service', patched('Service', toService(objects), patch), { signal })]),
    ...(route === undefined
      ? []
      : [client.create('Ingress', patched('Ingress', toIngress(objects, route), patch), { signal })]),
    ...(ingress === undefined || gateway === undefined
      ? []
      : [
          client.create('HTTPRoute', patched('HTTPRoute', toHttpRoute(objects, { ...ingress, gateway }), patch), {
            signal,
          }),
        ]),
  ])
}

function patched<T extends object>(kind: string, object: T, patch: ClusterInput['patch']): T {
  return toMergePatched(object, patch?.[kind] ?? {})
}

/** Kubernetes' CPU quantity → number of processors. */
export function parseCpu(quantity: string): number {
  const value = quantity.endsWith('m') ? Number(quantity.slice(0, -1)) / 1000 : Number(quantity)
  return Number.isFinite(value) ? value : 1
}
