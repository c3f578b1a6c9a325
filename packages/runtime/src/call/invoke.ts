import { UnsendableValueError, ValueTooLargeError, decodeValue, encodeArguments } from '@turbolift/worker-base/wire'
import type { CallStreams, DecodeOptions, ResultForm, WireValue } from '@turbolift/worker-base/wire'

import { answerUnreadable, argumentUnsendable, callTooLarge } from './errors.ts'
import type { LiftManifest } from '../manifest.ts'
import type { Invoker, Settle } from './invoker.ts'
import type { CallOptions, Captures, LiftedMeta } from './lifted.ts'
import { sessionOf } from './runtime.ts'
import { Task } from './task.ts'
import type { CallRequest, CallSink, Calls } from './task.ts'

/** A lifted function with the options that its calls are made with. */
export interface Lifted {
  readonly manifest: LiftManifest
  readonly meta: LiftedMeta
  /** Captured values of the scope around a nested function, read at each call. */
  readonly captures: (() => Captures) | undefined
  readonly options: CallOptions
  /** The map that makes the calls. */
  readonly mapId: number | undefined
}

const NO_VALUES: readonly unknown[] = []

/**
 * The request of a call; a promise of it only where a value takes time to read. Streams among the arguments are read
 * before, but for calls whose results are streams too: those can be tried again whenever their worker is lost.
 * @throws TransferError `ARGUMENT_UNSENDABLE`, `CALL_TOO_LARGE`
 */
export function encodeCall(
  lifted: Lifted,
  args: readonly unknown[],
  results: ResultForm,
): CallRequest | Promise<CallRequest> {
  const captures = lifted.captures?.()
  const captured = valuesOf(captures)
  const form = { captures: captured.length, results }
  try {
    const value = encodeArguments(captured, args, { keepStreams: results !== 'whole', signal: lifted.options.signal })
    if (!(value instanceof Promise)) return toRequest(lifted, form, value)
    return value.then(
      (read) => toRequest(lifted, form, read),
      (error: unknown) => Promise.reject(toTransferError(lifted.meta.name, error, captures)),
    )
  } catch (error) {
    throw toTransferError(lifted.meta.name, error, captures)
  }
}

export function valuesOf(captures: Captures | undefined): readonly unknown[] {
  return captures === undefined ? NO_VALUES : Object.values(captures)
}

/** What a stream among the arguments failed with stays as it is. */
function toTransferError(name: string, error: unknown, captures: Captures = {}): unknown {
  if (error instanceof UnsendableValueError) return argumentUnsendable(name, error, Object.keys(captures))
  return error instanceof ValueTooLargeError ? callTooLarge(name, error) : error
}

/** Where calls of this function go. The first one begins the run. */
export function callsOf({ manifest, meta }: Lifted): Calls {
  return sessionOf(manifest).calls(meta.pool)
}

/** Makes calls one by one, without a promise for each. */
export class LiftedInvoker implements Invoker {
  readonly #lifted: Lifted
  readonly #results: ResultForm

  constructor(lifted: Lifted, results: ResultForm) {
    this.#lifted = lifted
    this.#results = results
  }

  get appetite(): number {
    return callsOf(this.#lifted).appetite
  }

  start(args: readonly unknown[], settle: Settle): unknown {
    const sink = new DecodingSink(settle, this.#lifted.meta.name)
    try {
      const request = encodeCall(this.#lifted, args, this.#results)
      if (!(request instanceof Promise)) return callsOf(this.#lifted).submit(request, sink)
      return request
        .then((read) => callsOf(this.#lifted).submit(read, sink))
        .catch((error: unknown) => sink.reject(error))
    } catch (error) {
      settle.reject(error)
      return undefined
    }
  }

  cancel(call: unknown, reason: unknown): void {
    if (call instanceof Task) callsOf(this.#lifted).cancel(call, reason)
    if (call instanceof Promise) void call.then((task) => this.cancel(task, reason))
  }
}

/** Passes on what a call gives. One object, since there may be a million of them. */
export class DecodingSink implements CallSink {
  readonly #settle: Settle
  readonly #name: string

  constructor(settle: Settle, name: string) {
    this.#settle = settle
    this.#name = name
  }

  resolve(value: WireValue): void {
    this.#resolveDecoded(value)
  }

  reject(error: unknown): void {
    this.#settle.reject(error)
  }

  onOpened(value: WireValue, streams: CallStreams): void {
    this.#resolveDecoded(value, { toStream: (number) => streams.read(number) })
  }

  #resolveDecoded(value: WireValue, around?: DecodeOptions): void {
    let decoded: unknown
    try {
      decoded = decodeValue(value, around)
    } catch (error) {
      this.#settle.reject(answerUnreadable(this.#name, error))
      return
    }
    this.#settle.resolve(decoded)
  }
}

type RequestForm = Pick<CallRequest, 'captures' | 'results'>

// Written out key by key: a spread takes V8 as long as the rest of a tiny call.
export function toRequest(
  { meta, options, mapId }: Lifted,
  { captures, results }: RequestForm,
  value: WireValue,
): CallRequest {
  return {
    liftId: meta.id,
    name: meta.name,
    captures,
    results,
    value,
    timeoutMs: options.timeoutMs,
    signal: options.signal,
    retry: options,
    mapId,
  }
}
