import { channel } from 'node:diagnostics_channel'

import { BasicTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-base'
import { Registry } from 'prom-client'
import { on } from 'turbolift'
import { traceCalls } from 'turbolift/opentelemetry'
import { collectMetrics } from 'turbolift/prometheus'

import { createTurbolift } from './contenders/turbolift.ts'
import type { Section } from './report.ts'
import { measureByTurns, runInFlight } from './rounds.ts'

const IN_FLIGHT = 64
const CALLS = 20_000
const ROUNDS = 9
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
      const micros = await measureCpu((n) => turbolift.call(n))
      stop()
      return micros
    },
  }))
  const times = await measureByTurns(measured, ROUNDS)
  const base = times.get('nobody listens') ?? Number.NaN
  return {
    title: 'Watching',
    text:
      `Processor time of the program for a call of \`square(n)\`, one worker, ${IN_FLIGHT} in flight, with nobody ` +
      `listening and with what listens to each call. While nobody does, a call asks five channels whether somebody ` +
      `does: ${measureCheck().toFixed(0)} ns. Calls that are listened to go one by one, the others in batches. ` +
      `${ROUNDS} rounds of ${CALLS.toLocaleString('en')} calls by turns, the median counts.`,
    head: ['', 'µs a call', 'more'],
    rows: [...times].map(([name, micros]) => [name, micros.toFixed(1), (micros - base).toFixed(1)]),
  }
}

/** Processor time and not the clock's: what else the machine does is not in it. */
async function measureCpu(call: (n: number) => Promise<number>): Promise<number> {
  const start = process.cpuUsage()
  await runInFlight(CALLS, IN_FLIGHT, async (index) => {
    if ((await call(index)) !== index * index) throw new Error(`A wrong answer for ${index}.`)
  })
  const { user, system } = process.cpuUsage(start)
  return (user + system) / CALLS
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
