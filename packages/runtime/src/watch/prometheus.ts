import { Counter, Gauge, Histogram, register } from 'prom-client'
import type { Registry } from 'prom-client'

import { on } from './events.ts'

export interface MetricsOptions {
  /** Default: the registry that `prom-client` itself uses. */
  readonly registry?: Registry
  /** Upper bounds of the buckets of durations, in seconds. */
  readonly buckets?: readonly number[]
}

const BUCKETS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300]

/**
 * Counts calls and measures how long they take, by function, for Prometheus: `turbolift_calls_total`,
 * `turbolift_calls_in_flight`, `turbolift_call_duration_seconds`, `turbolift_call_queue_seconds`,
 * `turbolift_bytes_total` and `turbolift_workers`. Without a call of this function nothing of prom-client is loaded.
 * @returns stops counting; what was counted stays in the registry
 */
export function collectMetrics({ registry = register, buckets = BUCKETS }: MetricsOptions = {}): () => void {
  const metrics = createMetrics(registry, [...buckets])
  const stops = [...countCalls(metrics), ...countWorkers(metrics)]
  return () => {
    for (const stop of stops) stop()
  }
}

type Metrics = ReturnType<typeof createMetrics>

function createMetrics(registry: Registry, buckets: number[]) {
  const registers = [registry]
  const labelNames = ['function', 'pool'] as const
  return {
    calls: new Counter({
      name: 'turbolift_calls_total',
      help: 'Attempts of calls that ended, by outcome: done, failed or retried.',
      labelNames: [...labelNames, 'outcome'] as const,
      registers,
    }),
    inFlight: new Gauge({
      name: 'turbolift_calls_in_flight',
      help: 'Calls that wait or run.',
      labelNames,
      registers,
    }),
    duration: new Histogram({
      name: 'turbolift_call_duration_seconds',
      help: 'Time from sending a call to having its result.',
      labelNames,
      buckets,
      registers,
    }),
    queue: new Histogram({
      name: 'turbolift_call_queue_seconds',
      help: 'Time that a call waits for a worker.',
      labelNames,
      buckets,
      registers,
    }),
    bytes: new Counter({
      name: 'turbolift_bytes_total',
      help: 'Size of encoded arguments (sent) and results (received).',
      labelNames: [...labelNames, 'direction'] as const,
      registers,
    }),
    workers: new Gauge({
      name: 'turbolift_workers',
      help: 'Workers that take calls.',
      labelNames: ['pool'] as const,
      registers,
    }),
  }
}

function countCalls({ calls, inFlight, duration, queue, bytes }: Metrics): readonly (() => void)[] {
  return [
    on('call:queued', ({ functionId, pool }) => inFlight.inc({ function: functionId, pool })),
    on('call:done', ({ functionId, pool, durationMs, queuedMs, sentBytes, receivedBytes }) => {
      const labels = { function: functionId, pool }
      inFlight.dec(labels)
      calls.inc({ ...labels, outcome: 'done' })
      duration.observe(labels, durationMs / 1000)
      queue.observe(labels, queuedMs / 1000)
      bytes.inc({ ...labels, direction: 'sent' }, sentBytes)
      bytes.inc({ ...labels, direction: 'received' }, receivedBytes)
    }),
    on('call:failed', ({ functionId, pool }) => {
      inFlight.dec({ function: functionId, pool })
      calls.inc({ function: functionId, pool, outcome: 'failed' })
    }),
    on('call:retried', ({ functionId, pool }) => calls.inc({ function: functionId, pool, outcome: 'retried' })),
  ]
}

function countWorkers({ workers }: Metrics): readonly (() => void)[] {
  const ready = new Set<string>()
  return [
    on('worker:ready', ({ workerId, pool }) => {
      if (!ready.has(workerId)) workers.inc({ pool })
      ready.add(workerId)
    }),
    // One that is gone may never have been ready.
    on('worker:gone', ({ workerId, pool }) => {
      if (ready.delete(workerId)) workers.dec({ pool })
    }),
  ]
}
