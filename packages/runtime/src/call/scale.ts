export interface Load {
  /** Calls that wait or are in flight. */
  readonly pending: number
  /** How long one call takes, as measured; `Infinity` while unknown. */
  readonly averageMs: number
  readonly slotsPerWorker: number
  readonly minReplicas: number
  readonly maxReplicas: number
  /** Workers that are there or asked for. */
  readonly replicas: number
}

/** While nothing is known of how long calls take, no more workers than this are asked for at once. */
const FIRST_WORKERS = 16
/** More workers only when those that are there would need longer than this for all that is pending. */
const WORTH_A_WORKER_MS = 1_000

/**
 * How many workers the load asks for. Goes up only; idle workers are stopped by their idle time.
 * A thousand pending calls do not start a thousand workers when ten will be done with them in a moment.
 */
export function wantedReplicas(load: Load): number {
  const { pending, averageMs, slotsPerWorker, minReplicas, maxReplicas, replicas } = load
  const oneSlotEach = Math.ceil(pending / slotsPerWorker)
  const worthwhile =
    averageMs === Infinity
      ? FIRST_WORKERS
      : Math.max(FIRST_WORKERS, Math.ceil((pending * averageMs) / WORTH_A_WORKER_MS / slotsPerWorker))
  const wanted = Math.min(oneSlotEach, worthwhile, maxReplicas)
  return Math.max(wanted, replicas, minReplicas)
}
