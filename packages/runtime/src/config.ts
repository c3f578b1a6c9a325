import type { Resolved } from './config/option.ts'
import type { ClusterInput } from './deploy/options.ts'
import type { ImageInput } from './deliver/options.ts'

/** Where lifted functions run. */
export type Target = 'local' | 'kubernetes' | 'inline'

/** What concerns the whole run. */
export interface RunInput {
  /** Where lifted functions run. Default `local`. Environment: `TURBOLIFT_TARGET`. */
  readonly target?: Target
  /** What the workers print: in front of each line which worker it was (`labelled`, the default), as it is, or not at all. */
  readonly workerOutput?: 'labelled' | 'raw' | 'none'
  /**
   * Keeps the extracted worker files here for the next run. Default: they are in the run's own temporary folder,
   * which goes with it. Environment: `TURBOLIFT_CACHE_FOLDER`.
   */
  readonly cacheFolder?: string | undefined
  /**
   * Shows on stderr how far each `map` is: a live line in a terminal, a few plain lines elsewhere.
   * Default: yes, except in tests. Environment: `TURBOLIFT_PROGRESS`.
   */
  readonly progress?: boolean | undefined
  /** Lets `turbolift watch` and the page of Vite's dev server see this run. Default `false`. Environment: `TURBOLIFT_WATCH`. */
  readonly watch?: boolean
  /**
   * Where runs that are watched write what they do, for you alone to read. Default: `turbolift/runs` in your
   * home's folder for state. Environment: `TURBOLIFT_WATCH_FOLDER`.
   */
  readonly watchFolder?: string | undefined
}

/** Options of one pool: a group of equal workers. Functions without a pool name are in `default`. */
export interface PoolInput {
  /** Most workers at a time. Default: `local`, the number of cores; `kubernetes`, 10. */
  readonly maxReplicas?: number | undefined
  /** Workers kept even when idle, once the pool is in use. Default 0. */
  readonly minReplicas?: number
  /** Calls that a worker runs at a time (its executor threads). Default: `local` 1; `kubernetes` the CPU request, rounded up. */
  readonly concurrency?: number | undefined
  /** Idle workers above `minReplicas` are stopped after this time. Default 30_000. */
  readonly idleTimeoutMs?: number
  /** A worker has to answer this soon after it was asked for. Default: `local` 30_000; `kubernetes` 300_000. */
  readonly startTimeoutMs?: number | undefined
  /** A call is ended after this time. Default: no limit. `map` and `lift` set it for single calls. */
  readonly timeoutMs?: number | undefined
  /** Calls that may wait in the program; more are refused with `QUEUE_FULL`. Default 1_000_000. */
  readonly maxQueuedCalls?: number
}

/** What concerns the cluster; only used when the target is `kubernetes`. */
export interface KubernetesInput extends ClusterInput {
  /** Namespace of everything that a run creates. Default: that of the kube context, else `default`. Environment: `TURBOLIFT_NAMESPACE`. */
  readonly namespace?: string | undefined
  /** Context of the kubeconfig. Default: its current one. Environment: `TURBOLIFT_CONTEXT`. */
  readonly context?: string | undefined
  /** The workers' image: what it is made from, how, and where it is kept. */
  readonly image?: ImageInput
}

/**
 * What users may set: in `turbolift({ … })`, by `TURBOLIFT_*` variables, by `configure()`; the later wins.
 * Pool options at the top are for all pools; those in `pools` are for one.
 */
export interface ConfigInput extends RunInput, PoolInput {
  /** Pools by name. */
  readonly pools?: Readonly<Record<string, PoolInput>>
  /** The cluster, for target `kubernetes`. */
  readonly kubernetes?: KubernetesInput
}

/** What concerns the whole run, with all defaults filled in. */
export type RunConfig = Resolved<RunInput>

/** One pool, with all defaults filled in. */
export type PoolConfig = Resolved<PoolInput>

/** The cluster, with all defaults filled in. */
export type KubernetesConfig = Resolved<KubernetesInput>

/** Everything that one pool's platform and dispatcher need to know. */
export interface ResolvedConfig {
  readonly run: RunConfig
  readonly kubernetes: KubernetesConfig
  /** The pool's options; any name gives at least the options at the top. */
  readonly pool: (name: string) => PoolConfig
}
