import { CallStreams } from '../wire/call-streams.ts'
import type { CallMessage, Lost, ResultForm, WorkerMessage } from '../wire/messages.ts'
import { pump } from '../wire/pump.ts'
import { UnsendableValueError, ValueTooLargeError } from '../wire/unsendable.ts'
import { UNDEFINED_VALUE, decodeValue, encodeError, encodeValue } from '../wire/values.ts'
import type { WireValue } from '../wire/values.ts'
import { runInCall } from './call-context.ts'
import type { LiftedFunction } from './functions.ts'
import type { RunnerOptions, RunningCall } from './running-call.ts'
import { toUserStack } from './user-stack.ts'

/** The answer to a call. */
export type Answer = Extract<WorkerMessage, { kind: 'result' | 'error' | 'end' | 'lost' }>

/** Runs one call to its end and tells its answer; never rejects. */
export async function runCall(running: RunningCall, options: RunnerOptions): Promise<Answer> {
  const { id, liftId, results } = running.call
  try {
    const loading = options.functions.load(liftId)
    const fn = loading instanceof Promise ? await loading : loading
    if (fn === undefined) return toLost(id, { reason: 'unknown-function', detail: liftId })
    if (options.hooks.hasPendingStart) await options.hooks.runStart()
    const values = running.values ?? decodeArguments(running, options)
    const result = await runInCall(running.context, () => invoke(fn, values, running.call))
    if (results === 'items' && isAsyncGenerator(result)) return await answerStream(result, running, options)
    const encoded = encodeValue(result, 'result', { keepStreams: keepsStreams(results) })
    const value = encoded instanceof Promise ? await encoded : encoded
    if (value.streams === undefined) return { kind: 'result', id, value }
    return await sendStreams(value, value.streams, { running, options })
  } catch (error) {
    return toFailure(id, error, options.functions.folder)
  } finally {
    running.streams?.close(new Error('The call that this stream belongs to is over.'))
  }
}

function keepsStreams(results: ResultForm | undefined): boolean {
  return results === 'opened' || results === 'opened-batch'
}

function decodeArguments(running: RunningCall, options: RunnerOptions): readonly unknown[] {
  const values = decodeValue(running.call.value, {
    toSignal: () => running.context.signal,
    toShared: (key: string) => options.shared.get(key),
    toStream: (number: number) => streamsOf(running, options).read(number),
  })
  if (!Array.isArray(values)) throw new TypeError('The values of a call must be an array.')
  return values
}

function invoke(fn: LiftedFunction, values: readonly unknown[], call: CallMessage): unknown {
  if (call.captures === 0) return fn(...values)
  const inner = fn(...values.slice(0, call.captures))
  if (typeof inner !== 'function') throw new TypeError(`"${call.liftId}" takes no captures.`)
  return Reflect.apply(inner, undefined, values.slice(call.captures))
}

function streamsOf(running: RunningCall, { channel }: RunnerOptions): CallStreams {
  const { id } = running.call
  running.streams ??= new CallStreams({
    post: (event) => channel.send({ kind: 'stream', id, ...event }),
    whenDrained: () => channel.whenDrained(),
  })
  return running.streams
}

interface Around {
  readonly running: RunningCall
  readonly options: RunnerOptions
}

/** The caller gets the result now; the call goes on until its streams have ended. */
async function sendStreams(
  value: WireValue,
  streams: readonly AsyncIterable<unknown>[],
  { running, options }: Around,
): Promise<Answer> {
  const { id } = running.call
  running.onOpen?.()
  options.channel.send({ kind: 'opened', id, value })
  await runInCall(running.context, () => streamsOf(running, options).send(streams))
  return { kind: 'end', id, value: UNDEFINED_VALUE }
}

function isAsyncGenerator(value: unknown): value is AsyncGenerator<unknown, unknown, undefined> {
  return (
    typeof value === 'object' && value !== null && Symbol.asyncIterator in value && 'next' in value && 'return' in value
  )
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
