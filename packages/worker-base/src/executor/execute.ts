import { CallStreams } from '../wire/call-streams.ts'
import type { CallMessage, Lost, ResultForm, TextForm, WorkerMessage } from '../wire/messages.ts'
import { pump } from '../wire/pump.ts'
import { Refusal, UnsendableValueError } from '../wire/unsendable.ts'
import { MalformedValueError, UNDEFINED_VALUE, decodeValue, encodeError, encodeValue } from '../wire/values.ts'
import type { ErrorOptions, WireValue } from '../wire/values.ts'
import { runInCall } from './call-context.ts'
import type { LiftedFunction } from './functions.ts'
import { isTextForm, toTextError, toTextValue } from './text-answer.ts'
import type { RunnerOptions, RunningCall } from './running-call.ts'

/** What JavaScript passes on without running out of stack. */
export const MOST_ARGUMENTS = 65_535

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
    const { mapStack } = options.functions
    const text = isTextForm(results) ? results : undefined
    const isByItem = results === 'items' || text !== undefined
    if (isByItem && isAsyncGenerator(result)) return await answerStream(result, text, { running, options })
    const encoded = encodeValue(result, 'result', { keepStreams: keepsStreams(results), mapStack })
    const value = encoded instanceof Promise ? await encoded : encoded
    if (text !== undefined) return { kind: 'result', id, value: toTextValue(value, text) }
    if (value.streams === undefined) return { kind: 'result', id, value }
    return await sendStreams(value, value.streams, { running, options })
  } catch (error) {
    return toFailure(running.call, error, options.functions)
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
  return parseArguments(values)
}

/**
 * Of an array without elements, whose length costs nothing to send, a function would get billions of arguments.
 * @throws MalformedValueError
 */
export function parseArguments(values: unknown): readonly unknown[] {
  if (!Array.isArray(values)) throw new MalformedValueError('the arguments must be an array')
  if (values.length > MOST_ARGUMENTS) throw new MalformedValueError(`more than ${MOST_ARGUMENTS} arguments`)
  return values
}

function invoke(fn: LiftedFunction, values: readonly unknown[], call: CallMessage): unknown {
  if (call.captures === 0) return fn(...values)
  const inner = fn(...values.slice(0, call.captures))
  if (typeof inner !== 'function') throw new TypeError(`"${call.liftId}" takes no captures.`)
  return Reflect.apply(inner, undefined, values.slice(call.captures))
}

function streamsOf(running: RunningCall, options: RunnerOptions): CallStreams {
  const { channel } = options
  const { id } = running.call
  running.streams ??= new CallStreams({
    post: (event) => channel.send({ kind: 'stream', id, ...event }),
    whenDrained: () => channel.whenDrained(),
    mapStack: options.functions.mapStack,
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
  text: TextForm | undefined,
  { running: { call, context, credit }, options: { channel, functions } }: Around,
): Promise<Answer> {
  const { id } = call
  const { mapStack } = functions
  let index = 0
  const send = async (item: unknown): Promise<void> => {
    const value = await encodeValue(item, `result[${index}]`, { mapStack })
    channel.send({ kind: 'item', id, value: text === undefined ? value : toTextValue(value, text) })
    index += 1
    await channel.whenDrained()
  }
  const returned = await runInCall(context, () => pump(items, credit, send))
  const value = text === undefined ? await encodeValue(returned, 'return value', { mapStack }) : UNDEFINED_VALUE
  return { kind: 'end', id, value }
}

/** The error may be anything: it is asked nothing that would run code of its own. */
function toFailure({ id, results }: CallMessage, error: unknown, options: ErrorOptions): Answer {
  if (!Refusal.is(error)) {
    return { kind: 'error', id, value: isTextForm(results) ? toTextError(error, options) : encodeError(error, options) }
  }
  const { message } = error
  if (!(error instanceof UnsendableValueError)) return toLost(id, { reason: 'unsendable', detail: message })
  return toLost(id, { reason: 'unsendable', detail: error.reason, path: error.path })
}

function toLost(id: number, lost: Omit<Lost, 'started'>): Answer {
  return { kind: 'lost', id, lost: { ...lost, started: lost.reason === 'unsendable' } }
}
