import type { KubernetesInput, PoolInput, RunInput, Target } from '../config.ts'
import { imageOptions } from './image-options.ts'
import { clusterOptions } from './cluster-table.ts'
import { choice, count, duration, flag, nested, text } from './option.ts'
import type { OptionTable } from './option.ts'

// Every option in one place. To add one: a documented key in `config.ts`, a line here. Checks, errors, the
// environment and docs/configuration.md follow from it.

export const runOptions: OptionTable<RunInput> = {
  target: choice<Target>({
    default: 'local',
    of: ['local', 'kubernetes', 'inline'],
    environment: 'TURBOLIFT_TARGET',
    about:
      'Where lifted functions run: `local` in processes on this machine, `kubernetes` in a cluster, `inline` in the program itself.',
  }),
  workerOutput: choice<NonNullable<RunInput['workerOutput']>>({
    default: 'labelled',
    of: ['labelled', 'raw', 'none'],
    environment: 'TURBOLIFT_WORKER_OUTPUT',
    about:
      'What workers print appears in the program: `labelled` with the worker in front of each line, `raw` as it is, `none` not at all.',
  }),
  cacheFolder: text({
    default: undefined,
    environment: 'TURBOLIFT_CACHE_FOLDER',
    about:
      'Keeps the extracted worker files here for the next run. Default: a temporary folder that goes with the run.',
  }),
  progress: flag<boolean | undefined>({
    default: undefined,
    environment: 'TURBOLIFT_PROGRESS',
    about:
      'Shows on stderr how far each `map` is: a live line in a terminal, a few plain lines elsewhere. Default: yes, except in tests.',
  }),
  watch: flag<boolean>({
    default: false,
    environment: 'TURBOLIFT_WATCH',
    about: "Lets `turbolift watch` and the page of Vite's dev server see this run.",
  }),
  watchFolder: text({
    default: undefined,
    environment: 'TURBOLIFT_WATCH_FOLDER',
    about:
      'Where runs that are watched write what they do. Default: `turbolift/runs` in the folder for state of your home.',
  }),
}

export const poolOptions: OptionTable<PoolInput> = {
  maxReplicas: count({
    default: undefined,
    min: 1,
    environment: 'TURBOLIFT_MAX_REPLICAS',
    about: 'Most workers at a time. Default: `local`, the number of cores; `kubernetes`, 10.',
  }),
  minReplicas: count({
    default: 0,
    min: 0,
    environment: 'TURBOLIFT_MIN_REPLICAS',
    about: 'Workers kept even when idle, once the pool is in use.',
  }),
  concurrency: count({
    default: undefined,
    min: 1,
    // Each is a thread with an engine of its own, of some megabytes.
    max: 256,
    environment: 'TURBOLIFT_CONCURRENCY',
    about: 'Calls that a worker runs at a time. Default: `local`, 1; `kubernetes`, the CPU request, rounded up.',
  }),
  idleTimeoutMs: duration({
    default: 30_000,
    environment: 'TURBOLIFT_IDLE_TIMEOUT_MS',
    about: 'Idle workers above `minReplicas` are stopped after this time.',
  }),
  startTimeoutMs: duration({
    default: undefined,
    min: 1,
    environment: 'TURBOLIFT_START_TIMEOUT_MS',
    about: 'A worker has to answer this soon after it was asked for. Default: `local`, 30,000; `kubernetes`, 300,000.',
  }),
  timeoutMs: duration({
    default: undefined,
    environment: 'TURBOLIFT_TIMEOUT_MS',
    about: 'A call is ended after this time. Default: no limit.',
  }),
  maxQueuedCalls: count({
    default: 1_000_000,
    min: 1,
    about: 'Calls that may wait in the program; more are refused with `QUEUE_FULL`.',
  }),
}

export const kubernetesOptions: OptionTable<KubernetesInput> = {
  namespace: text({
    default: undefined,
    environment: 'TURBOLIFT_NAMESPACE',
    about: 'Namespace of everything that a run creates. Default: that of the kube context, else `default`.',
  }),
  context: text({
    default: undefined,
    environment: 'TURBOLIFT_CONTEXT',
    about: 'Context of the kubeconfig. Default: its current one.',
  }),
  ...clusterOptions,
  image: nested({
    default: {},
    fields: imageOptions,
    about: "The workers' image: what it is made from, how, and where it is kept.",
  }),
}
