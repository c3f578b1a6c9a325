import { delay } from '@turbolift/worker-base/clock'

import { LiftError } from '../errors.ts'
import { toDeployFailure } from './errors.ts'
import { isUnreachable } from './client.ts'
import type { KubernetesClient } from './client.ts'
import type { Autoscale } from './options.ts'

export interface ScaleOptions {
  readonly client: KubernetesClient
  /** Name of the Deployment. */
  readonly name: string
  readonly autoscale: Autoscale
  readonly minReplicas: number
  readonly signal: AbortSignal
  readonly onFailed: (error: LiftError) => void
}

/** Sets how many workers there are. What is asked for while a request is on its way waits; only the last counts. */
export interface Scale {
  /** @param idle workers without calls: when there are too many, these go */
  to(replicas: number, idle: readonly string[]): void
}

interface Wanted {
  readonly replicas: number
  readonly idle: readonly string[]
}

export function createScale(options: ScaleOptions): Scale {
  let wanted: Wanted = { replicas: 0, idle: [] }
  let applied = 0
  let isBusy = false
  const run = async () => {
    isBusy = true
    try {
      for (; applied !== wanted.replicas && !options.signal.aborted;) applied = await apply(options, wanted, applied)
    } catch (error) {
      if (!options.signal.aborted) options.onFailed(toDeployFailure(error))
    } finally {
      isBusy = false
    }
  }
  return {
    to(replicas, idle) {
      wanted = { replicas: toReplicas(options, replicas, applied), idle }
      if (!isBusy) void run()
    },
  }
}

// Where something else sets the number, the program only says whether there are to be any.
function toReplicas({ autoscale, minReplicas }: ScaleOptions, replicas: number, applied: number): number {
  if (autoscale === 'queue' || replicas === 0) return replicas
  return applied > 0 ? applied : Math.max(1, minReplicas)
}

async function apply(options: ScaleOptions, { replicas, idle }: Wanted, applied: number): Promise<number> {
  const { client, name, signal } = options
  try {
    if (replicas < applied && replicas > 0) await markIdle(options, idle)
    await client.patch('Deployment', name, { spec: { replicas } }, { subresource: 'scale', signal })
    return replicas
  } catch (error) {
    // The API server may be away for a while: the anchor knows for how long that can go on.
    if (!isUnreachable(error)) throw error
    await delay(1_000, { signal, ref: false })
    return applied
  }
}

/** Pods with the lowest cost are deleted first. @see https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#pod-deletion-cost */
async function markIdle({ client, signal }: ScaleOptions, idle: readonly string[]): Promise<void> {
  const annotations = { 'controller.kubernetes.io/pod-deletion-cost': '-100' }
  const marks = idle.map((id) => client.patch('Pod', toPodName(id), { metadata: { annotations } }, { signal }))
  // A pod that is gone by now needs no mark.
  await Promise.allSettled(marks)
}

// A worker's id is its pod's name and, after restarts, their number.
function toPodName(workerId: string): string {
  return workerId.replace(/\.\d+$/, '')
}
