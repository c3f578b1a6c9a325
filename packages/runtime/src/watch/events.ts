import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Channel } from 'node:diagnostics_channel'

import { performance } from '@turbolift/worker-base/clock'

import { invalidOption } from '../config/errors.ts'

/** A listener hears `RunEvents[name]` with the time it happened, in milliseconds since 1970. */
export type Timed<T> = T & { readonly at: number }

/** The life of the whole run: it begins with the first lifted call. */
export interface RunStarted {
  readonly runId: string
  readonly program: string
  readonly target: string
}

export interface RunEnded {
  readonly runId: string
  readonly durationMs: number
}

export interface WorkerEvent {
  readonly workerId: string
  readonly pool: string
}

export interface WorkerGone extends WorkerEvent {
  /** `undefined`: it was stopped because it was not needed any more. */
  readonly error: Error | undefined
}

/** How far a `map` is. The object is the `map`'s own: read it again later and it has moved on. */
export interface MapCounts {
  /** Inputs, when they are known before the end: an array's length. */
  readonly total: number | undefined
  readonly inFlight: number
  readonly done: number
  readonly failed: number
  /** Part of `done` that came from the cache. */
  readonly cached: number
}

export interface MapEvent {
  readonly mapId: number
  readonly functionId: string
  readonly pool: string
  readonly counts: MapCounts
}

export interface MapEnded extends MapEvent {
  readonly durationMs: number
  /** Why it ended early; `undefined` when all inputs were worked on, or the caller took no more. */
  readonly error: unknown
}

/** One call, with all its attempts: it is tried again when its worker is lost, and as the option `retries` says. */
export interface CallEvent {
  /** Counts up within the run. */
  readonly callId: number
  /** The lift id: `src/main.ts#square`. */
  readonly functionId: string
  readonly pool: string
  /** The `map` that made the call. */
  readonly mapId: number | undefined
}

export interface CallQueued extends CallEvent {
  /** Listeners may put text here; it travels to the worker with the call (`traceparent`, `tracestate`). */
  readonly carrier: Record<string, string>
}

export interface CallStarted extends CallEvent {
  readonly workerId: string
  /** 1 for the first. */
  readonly attempt: number
  readonly queuedMs: number
}

export interface CallDone extends CallStarted {
  /** From being sent to having the result. */
  readonly durationMs: number
  readonly sentBytes: number
  readonly receivedBytes: number
}

export interface CallFailed extends CallEvent {
  /** `undefined` when it failed before any worker had it. */
  readonly workerId: string | undefined
  readonly attempt: number
  readonly durationMs: number
  readonly error: unknown
}

/** A failed attempt that is followed by another. */
export type CallRetried = CallFailed

/** A line that a worker printed. */
export interface LogLine {
  readonly workerId: string
  readonly stream: 'stdout' | 'stderr'
  readonly line: string
}

/** Every event by its name. */
export interface RunEvents {
  readonly 'run:started': RunStarted
  readonly 'run:ended': RunEnded
  readonly 'worker:started': WorkerEvent
  readonly 'worker:ready': WorkerEvent
  readonly 'worker:gone': WorkerGone
  readonly 'map:started': MapEvent
  readonly 'map:ended': MapEnded
  readonly 'call:queued': CallQueued
  readonly 'call:started': CallStarted
  readonly 'call:done': CallDone
  readonly 'call:failed': CallFailed
  readonly 'call:retried': CallRetried
  readonly 'log:line': LogLine
}

export type EventName = keyof RunEvents

/** Tells listeners of one event. Ask `isHeard` before the event is made, so that it costs nothing without them. */
export interface EventChannel<T> {
  readonly isHeard: boolean
  /** Takes the event over, and writes the time into it. */
  emit(event: T): void
}

const ORIGIN = performance.timeOrigin

class NodeChannel<T extends object> implements EventChannel<T> {
  readonly #channel: Channel
  constructor(name: EventName) {
    this.#channel = channel(toChannelName(name))
  }

  get isHeard(): boolean {
    return this.#channel.hasSubscribers
  }

  emit(event: T): void {
    // Not spread into a new object: V8 takes microseconds for a spread with more keys behind it.
    this.#channel.publish(Object.assign(event, { at: ORIGIN + performance.now() }))
  }
}

/**
 * The channel of each event: `if (events['call:done'].isHeard) events['call:done'].emit({ … })`.
 * They are Node's own diagnostics channels, so that an agent outside the bundle (`node --import`) hears them
 * too, and a listener that throws ends up as an uncaught exception instead of in the middle of a call.
 */
export const events: { readonly [N in EventName]: EventChannel<RunEvents[N]> } = {
  'run:started': new NodeChannel('run:started'),
  'run:ended': new NodeChannel('run:ended'),
  'worker:started': new NodeChannel('worker:started'),
  'worker:ready': new NodeChannel('worker:ready'),
  'worker:gone': new NodeChannel('worker:gone'),
  'map:started': new NodeChannel('map:started'),
  'map:ended': new NodeChannel('map:ended'),
  'call:queued': new NodeChannel('call:queued'),
  'call:started': new NodeChannel('call:started'),
  'call:done': new NodeChannel('call:done'),
  'call:failed': new NodeChannel('call:failed'),
  'call:retried': new NodeChannel('call:retried'),
  'log:line': new NodeChannel('log:line'),
}

/**
 * Listens to what happens in this program's run. Each is also the `node:diagnostics_channel` named
 * `turbolift:` and its name.
 * @throws ConfigError `OPTION_INVALID`
 * @returns stops listening; to stop twice is harmless
 * @example
 * const stop = on('call:failed', ({ functionId, error }) => report(functionId, error))
 */
export function on<N extends EventName>(name: N, listener: (event: Timed<RunEvents[N]>) => void): () => void {
  if (!Object.hasOwn(events, name)) throw invalidOption('on(name)', `one of ${Object.keys(events).join(', ')}`, name)
  if (typeof listener !== 'function') throw invalidOption(`on("${name}", listener)`, 'a function', listener)
  const hear = (event: unknown) => {
    if (isTimed<RunEvents[N]>(event)) listener(event)
  }
  subscribe(toChannelName(name), hear)
  return () => {
    unsubscribe(toChannelName(name), hear)
  }
}

// What is on our channels is typed where it is written; anybody else's messages are not for us.
function isTimed<T>(event: unknown): event is Timed<T> {
  return typeof event === 'object' && event !== null && 'at' in event && typeof event.at === 'number'
}

function toChannelName(name: EventName): string {
  return `turbolift:${name}`
}
