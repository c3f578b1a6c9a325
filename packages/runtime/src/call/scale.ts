export interface Load {
  /** Calls that wait or are in flight. */
  readonly pending: number
  /** How long one call takes, as measured; `Infinity` while unknown. */
  readonly averageMs: number
  /** Workers that may be asked for whatever is known of how long calls take. */
  readonly most: number
  readonly slotsPerWorker: number
  readonly minReplicas: number
  readonly maxReplicas: number
  /** Workers that are there or asked for. */
  readonly replicas: number
}

/** More workers only when those that are there would need longer than this for all that is pending. */
const WORTH_A_WORKER_MS = 1_000

/**
 * How many workers the load asks for. Goes up only; idle workers are stopped by their idle time.
 * A thousand pending calls do not start a thousand workers when ten will be done with them in a moment.
 */
export function wantedReplicas(load: Load): number {
  const { pending, averageMs, most, slotsPerWorker, minReplicas, maxReplicas, replicas } = load
  const oneSlotEach = Math.ceil(pending / slotsPerWorker)
  const measured = averageMs === Infinity ? 0 : Math.ceil(oneSlotEach * (averageMs / WORTH_A_WORKER_MS))
  const wanted = Math.min(oneSlotEach, Math.max(most, measured), maxReplicas)
  return Math.max(wanted, replicas, minReplicas)
}
