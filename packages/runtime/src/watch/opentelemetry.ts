import { SpanKind, SpanStatusCode, context, propagation, trace } from '@opentelemetry/api'
import type { Context, Span, Tracer } from '@opentelemetry/api'

import { parseLiftId } from '../lift-id.ts'
import { on } from './events.ts'
import type { CallDone, CallEvent, CallFailed, CallQueued, CallStarted, MapEnded, MapEvent, Timed } from './events.ts'

export interface TraceOptions {
  /** Default: the tracer `turbolift` of the global provider. */
  readonly tracer?: Tracer
}

/**
 * Makes a span for each map and for each call, from its being queued to its result, under the span that is active
 * where the call is made. The trace goes on in the worker: `liftContext().carrier` holds its `traceparent` there.
 * Without a call of this function nothing of OpenTelemetry is loaded.
 * @returns stops tracing; spans that are open are ended
 */
export function traceCalls({ tracer = trace.getTracer('turbolift') }: TraceOptions = {}): () => void {
  const tracing = new Tracing(tracer)
  const stops = [
    on('map:started', (event) => tracing.startMap(event)),
    on('map:ended', (event) => tracing.endMap(event)),
    on('call:queued', (event) => tracing.startCall(event)),
    on('call:started', (event) => tracing.sendCall(event)),
    on('call:retried', (event) => tracing.retryCall(event)),
    on('call:done', (event) => tracing.finishCall(event)),
    on('call:failed', (event) => tracing.failCall(event)),
  ]
  return () => {
    for (const stop of stops) stop()
    tracing.endAll()
  }
}

class Tracing {
  readonly #tracer: Tracer
  readonly #maps: Map<number, { readonly span: Span; readonly context: Context }> = new Map()
  readonly #calls: Map<number, Span> = new Map()

  constructor(tracer: Tracer) {
    this.#tracer = tracer
  }

  startMap({ mapId, functionId, pool, counts, at }: Timed<MapEvent>): void {
    const attributes = {
      'turbolift.function': functionId,
      'turbolift.pool': pool,
      ...(counts.total === undefined ? {} : { 'turbolift.map.inputs': counts.total }),
    }
    const span = this.#tracer.startSpan(`map ${toName(functionId)}`, { startTime: at, attributes })
    this.#maps.set(mapId, { span, context: trace.setSpan(context.active(), span) })
  }

  endMap({ mapId, counts, error, at }: Timed<MapEnded>): void {
    const span = this.#maps.get(mapId)?.span
    if (span === undefined) return
    this.#maps.delete(mapId)
    span.setAttributes({
      'turbolift.map.done': counts.done,
      'turbolift.map.failed': counts.failed,
      'turbolift.map.cached': counts.cached,
    })
    if (error !== undefined) fail(span, error)
    span.end(at)
  }

  startCall({ callId, functionId, pool, mapId, carrier, at }: Timed<CallQueued>): void {
    const parent = mapId === undefined ? undefined : this.#maps.get(mapId)?.context
    const attributes = { 'turbolift.function': functionId, 'turbolift.pool': pool, 'turbolift.call.id': callId }
    const options = { kind: SpanKind.CLIENT, startTime: at, attributes }
    const active = parent ?? context.active()
    const span = this.#tracer.startSpan(toName(functionId), options, active)
    this.#calls.set(callId, span)
    propagation.inject(trace.setSpan(active, span), carrier)
  }

  sendCall({ callId, workerId, attempt, at }: Timed<CallStarted>): void {
    this.#calls.get(callId)?.addEvent('sent', { 'turbolift.worker': workerId, 'turbolift.attempt': attempt }, at)
  }

  retryCall({ callId, error, at }: Timed<CallFailed>): void {
    this.#calls.get(callId)?.addEvent('retried', { 'exception.message': toMessage(error) }, at)
  }

  finishCall({ callId, workerId, attempt, sentBytes, receivedBytes, queuedMs, at }: Timed<CallDone>): void {
    const span = this.#take({ callId })
    span?.setAttributes({
      'turbolift.worker': workerId,
      'turbolift.attempt': attempt,
      'turbolift.queued_ms': queuedMs,
      'turbolift.sent_bytes': sentBytes,
      'turbolift.received_bytes': receivedBytes,
    })
    span?.end(at)
  }

  failCall({ callId, attempt, error, at }: Timed<CallFailed>): void {
    const span = this.#take({ callId })
    if (span === undefined) return
    span.setAttribute('turbolift.attempt', attempt)
    fail(span, error)
    span.end(at)
  }

  endAll(): void {
    for (const span of this.#calls.values()) span.end()
    for (const { span } of this.#maps.values()) span.end()
    this.#calls.clear()
    this.#maps.clear()
  }

  #take({ callId }: Pick<CallEvent, 'callId'>): Span | undefined {
    const span = this.#calls.get(callId)
    this.#calls.delete(callId)
    return span
  }
}

function fail(span: Span, error: unknown): void {
  span.recordException(error instanceof Error ? error : String(error))
  span.setStatus({ code: SpanStatusCode.ERROR, message: toMessage(error) })
}

function toMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function toName(functionId: string): string {
  return parseLiftId(functionId).path
}
