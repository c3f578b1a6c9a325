import type { Lost, WorkerMessage } from '../wire/messages.ts'
import { UnsendableValueError, ValueTooLargeError } from '../wire/unsendable.ts'
import { decodeValue, encodeError, encodeValue } from '../wire/values.ts'
import { runInCall } from './call-context.ts'
import type { LiftedFunction } from './functions.ts'
import type { RunnerOptions, RunningCall } from './running-call.ts'
import type { SharedStore } from './shared-store.ts'
import { isAsyncGenerator, pump } from './stream.ts'
import { toUserStack } from './user-stack.ts'

/** The answer to a call. */
type Answer = Extract<WorkerMessage, { kind: 'result' | 'error' | 'end' | 'lost' }>

/** Runs one call to its end and tells its answer; never rejects. */
export async function runCall(running: RunningCall, options: RunnerOptions): Promise<Answer> {
  const { id, liftId } = running.call
  try {
    const loading = options.functions.load(liftId)
    const fn = loading instanceof Promise ? await loading : loading
    if (fn === undefined) return toLost(id, { reason: 'unknown-function', detail: liftId })
    if (options.hooks.hasPendingStart) await options.hooks.runStart()
    const result = await runInCall(running.context, () => invoke(fn, running, options.shared))
    if (isAsyncGenerator(result)) return await answerStream(result, running, options)
    const value = encodeValue(result, 'result')
    return { kind: 'result', id, value: value instanceof Promise ? await value : value }
  } catch (error) {
    return toFailure(id, error, options.functions.folder)
  }
}

function invoke(fn: LiftedFunction, { call, context }: RunningCall, shared: SharedStore): unknown {
  const around = { toSignal: () => context.signal, toShared: (key: string) => shared.get(key) }
  const values = decodeValue(call.value, around)
  if (!Array.isArray(values)) throw new TypeError('The values of a call must be an array.')
  if (call.captures === 0) return fn(...values)
  const inner = fn(...values.slice(0, call.captures))
  if (typeof inner !== 'function') throw new TypeError(`"${call.liftId}" takes no captures.`)
  return Reflect.apply(inner, undefined, values.slice(call.captures))
}

async function answerStream(
  items: AsyncGenerator<unknown, unknown, undefined>,
  { call: { id }, context, credit }: RunningCall,
  { channel }: RunnerOptions,
): Promise<Answer> {
  let index = 0
  const send = async (item: unknown): Promise<void> => {
    channel.send({ kind: 'item', id, value: await encodeValue(item, `result[${index}]`) })
    index += 1
    await channel.whenDrained()
  }
  const returned = await runInCall(context, () => pump(items, credit, send))
  return { kind: 'end', id, value: await encodeValue(returned, 'return value') }
}

function toFailure(id: number, error: unknown, folder: string): Answer {
  if (error instanceof UnsendableValueError) {
    return toLost(id, { reason: 'unsendable', detail: error.reason, path: error.path })
  }
  if (error instanceof ValueTooLargeError) return toLost(id, { reason: 'unsendable', detail: error.message })
  return { kind: 'error', id, value: encodeError(toUserStack(error, folder)) }
}

function toLost(id: number, lost: Omit<Lost, 'started'>): Answer {
  return { kind: 'lost', id, lost: { ...lost, started: lost.reason === 'unsendable' } }
}
