import { channel } from 'node:diagnostics_channel'

import { trace } from '@opentelemetry/api'
import { BasicTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-base'
import { Registry } from 'prom-client'
import { on } from 'turbolift'
import { traceCalls } from 'turbolift/opentelemetry'
import { collectMetrics } from 'turbolift/prometheus'

import { createTurbolift } from './contenders/turbolift.ts'
import type { Section } from './report.ts'
import { measureByTurns, measureRate } from './rounds.ts'

const IN_FLIGHT = 64
const ROUND_MS = 1000
const ROUNDS = 7
const CHECKS = 20_000_000

/** Ways to watch; each returns what ends it. */
const WATCHERS: Readonly<Record<string, () => () => void>> = {
  'nobody listens': () => () => {},
  "on('call:done')": () => on('call:done', () => {}),
  'Prometheus metrics': () => collectMetrics({ registry: new Registry() }),
  'OpenTelemetry spans, not exported': () => traceCalls({ tracer: provider.getTracer('bench') }),
}

const dropped: SpanProcessor = {
  onStart() {},
  onEnd() {},
  forceFlush: async () => {},
  shutdown: async () => {},
}
const provider = new BasicTracerProvider({ spanProcessors: [dropped] })

/** What events, metrics and spans cost a call that does next to nothing, and what it costs to have the choice. */
export async function benchWatching(): Promise<Section> {
  const turbolift = createTurbolift(1)
  const measured = Object.entries(WATCHERS).map(([name, start]) => ({
    name,
    async measure() {
      const stop = start()
      const rate = await measureRate(turbolift, IN_FLIGHT, ROUND_MS)
      stop()
      return rate
    },
  }))
  const rates = await measureByTurns(measured, ROUNDS)
  trace.disable()
  const base = rates.get('nobody listens') ?? Number.NaN
  return {
    title: 'Watching',
    text:
      `Calls a second of \`square(n)\`, one worker, ${IN_FLIGHT} in flight, with nobody listening and with what listens to ` +
      `each call. While nobody does, a call asks five channels whether somebody does: ${measureCheck().toFixed(1)} ns. ` +
      `${ROUNDS} rounds of ${ROUND_MS} ms by turns, the median counts.`,
    head: ['', 'calls a second', 'of a call unwatched', 'µs a call more'],
    rows: [...rates].map(([name, rate]) => [
      name,
      Math.round(rate).toLocaleString('en'),
      (rate / base).toFixed(2),
      (1e6 / rate - 1e6 / base).toFixed(1),
    ]),
  }
}

/** Nanoseconds to find out that nobody listens. */
function measureCheck(): number {
  const channels = ['queued', 'started', 'done', 'failed', 'retried'].map((name) => channel(`turbolift:call:${name}`))
  let heard = 0
  const start = performance.now()
  for (let check = 0; check < CHECKS; check++) if (channels.some((one) => one.hasSubscribers)) heard++
  if (heard > 0) throw new Error('Somebody still listens.')
  return ((performance.now() - start) * 1e6) / CHECKS
}
