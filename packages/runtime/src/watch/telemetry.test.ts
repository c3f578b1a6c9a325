import { context, propagation, trace } from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { Registry } from 'prom-client'
import { expect, test } from 'vitest'

import { CallReport } from './call-report.ts'
import { events } from './events.ts'
import { MapReport } from './map-report.ts'
import { traceCalls } from './opentelemetry.ts'
import { collectMetrics } from './prometheus.ts'

const value = { format: 'json', text: '[1,2]', parts: [Uint8Array.of(1, 2, 3)] } as const
const functionId = 'src/main.ts#render'

/** A map of two calls: the first loses its worker and succeeds, the second throws. */
function runMap(): readonly Readonly<Record<string, string>>[] {
  events['worker:ready'].emit({ workerId: 'w1', pool: 'default' })
  const map = new MapReport({ functionId, pool: 'default', total: 2 })
  const [first, second] = [1, 2].map(() => new CallReport({ liftId: functionId, mapId: map.mapId, value }, 'default'))
  first?.start('w1')
  first?.retry(new Error('the worker is gone'))
  first?.start('w2')
  first?.finish(value)
  second?.start('w1')
  second?.fail(new RangeError('too far'))
  Object.assign(map.counts, { done: 1, failed: 1 })
  map.end(undefined)
  events['worker:gone'].emit({ workerId: 'w1', pool: 'default', error: undefined })
  events['worker:gone'].emit({ workerId: 'never-ready', pool: 'default', error: undefined })
  return [first?.carrier ?? {}, second?.carrier ?? {}]
}

function record() {
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  return { exporter, tracer: provider.getTracer('test') }
}

test('spans of a map and its calls, with retries and errors, in one trace that the workers go on with', () => {
  propagation.setGlobalPropagator({
    inject: (active, carrier, setter) => {
      const found = trace.getSpanContext(active)
      if (found) setter.set(carrier, 'traceparent', `00-${found.traceId}-${found.spanId}-01`)
    },
    extract: (active) => active,
    fields: () => ['traceparent'],
  })
  const { exporter, tracer } = record()
  const stop = traceCalls({ tracer })
  const carriers = runMap()
  stop()
  runMap()
  propagation.disable()
  const [first, second, map, ...more] = exporter.getFinishedSpans()
  expect(more).toEqual([])
  expect(map).toMatchObject({
    name: 'map render',
    attributes: { 'turbolift.map.inputs': 2, 'turbolift.map.failed': 1 },
  })
  expect(first).toMatchObject({
    name: 'render',
    attributes: { 'turbolift.worker': 'w2', 'turbolift.attempt': 2, 'turbolift.sent_bytes': 8 },
    events: [
      { name: 'sent' },
      { name: 'retried', attributes: { 'exception.message': 'the worker is gone' } },
      { name: 'sent' },
    ],
    parentSpanContext: { spanId: map?.spanContext().spanId },
    status: { code: 0 },
  })
  expect(second).toMatchObject({
    status: { code: 2, message: 'too far' },
    events: [{ name: 'sent' }, { name: 'exception' }],
  })
  const ids = [first, second].map((span) => span?.spanContext())
  expect(carriers).toEqual(ids.map((id) => ({ traceparent: `00-${id?.traceId}-${id?.spanId}-01` })))
})

test('spans that are open when tracing stops are ended', () => {
  const { exporter, tracer } = record()
  const stop = traceCalls({ tracer })
  const map = new MapReport({ functionId, pool: 'default', total: undefined })
  const call = new CallReport({ liftId: functionId, mapId: undefined, value }, 'default')
  stop()
  call.finish(value)
  map.end(undefined)
  expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['render', 'map render'])
  expect(context.active()).toBeDefined()
})

test('metrics by function and outcome', async () => {
  const registry = new Registry()
  const stop = collectMetrics({ registry })
  runMap()
  stop()
  runMap()
  const text = await registry.metrics()
  const labels = `function="${functionId}",pool="default"`
  expect(text).toContain(`turbolift_calls_total{${labels},outcome="done"} 1`)
  expect(text).toContain(`turbolift_calls_total{${labels},outcome="failed"} 1`)
  expect(text).toContain(`turbolift_calls_total{${labels},outcome="retried"} 1`)
  expect(text).toContain(`turbolift_calls_in_flight{${labels}} 0`)
  expect(text).toContain(`turbolift_call_duration_seconds_count{${labels}} 1`)
  expect(text).toContain(`turbolift_bytes_total{${labels},direction="sent"} 8`)
  expect(text).toContain('turbolift_workers{pool="default"} 0')
})
