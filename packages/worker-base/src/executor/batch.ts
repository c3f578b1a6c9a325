import { performance } from '../clock.ts'
import type { CallMessage, OutcomeMessage } from '../wire/messages.ts'
import { createCredit } from '../wire/pump.ts'
import { MalformedValueError, UNDEFINED_VALUE, decodeValue, encodeError } from '../wire/values.ts'
import type { WireValue } from '../wire/values.ts'
import { CallContext } from './call-context.ts'
import { MOST_ARGUMENTS, parseArguments, runCall } from './execute.ts'
import type { Answer } from './execute.ts'
import type { RunnerOptions, RunningCall } from './running-call.ts'

/** After this long the calls that have not begun are given back: another worker may have time for them. */
const GIVE_BACK_MS = 20

export interface BatchOptions extends RunnerOptions {
  /** Told which call runs. */
  readonly onRun: (running: RunningCall) => void
}

/** Runs the calls of a batch one after the other; see `ResultForm`. Never rejects. */
export async function runBatch(call: CallMessage, options: BatchOptions): Promise<Answer> {
  const start = performance.now()
  let lists: readonly (readonly unknown[])[]
  try {
    lists = parseLists(decodeValue(call.value))
  } catch (error) {
    return { kind: 'error', id: call.id, value: encodeError(error) }
  }
  const results = new BatchResults()
  let isOpened = false
  const onOpen = (): void => {
    isOpened = true
    options.channel.send(results.toOpened(call.id, performance.now() - start))
  }
  for (const [index, values] of lists.entries()) {
    const context = new CallContext(call, options.workerId, index)
    const running = { call, context, values, credit: createCredit(0), onOpen, streams: undefined }
    options.onRun(running)
    const answer = await runCall(running, options)
    options.afterCall(context)
    if (isOpened) return answer
    const outcome = results.add(index, answer)
    if (outcome !== undefined) options.channel.send(outcome)
    if (context.isAborted || performance.now() - start > GIVE_BACK_MS) break
  }
  return { kind: 'result', id: call.id, value: results.toValue(performance.now() - start) }
}

class BatchResults {
  readonly #texts: string[] = []
  readonly #undefined: number[] = []

  /** Gives back what cannot be told together with the others. */
  add(index: number, answer: Answer): OutcomeMessage | undefined {
    if (answer.kind === 'result' && answer.value.format === 'json') {
      this.#texts.push(answer.value.text)
      return undefined
    }
    this.#texts.push('0')
    if (answer.kind === 'result' && answer.value === UNDEFINED_VALUE) {
      this.#undefined.push(index)
      return undefined
    }
    return toOutcome(index, answer)
  }

  /** The next call is the last: its result holds streams. */
  toOpened(id: number, durationMs: number): OutcomeMessage {
    return { kind: 'outcome', id, index: this.#texts.length, answer: 'opened', value: this.toValue(durationMs) }
  }

  toValue(durationMs: number): WireValue {
    const text = `[${durationMs},[${this.#texts.join(',')}],[${this.#undefined.join(',')}]]`
    return { format: 'json', text, parts: [] }
  }
}

function toOutcome(index: number, answer: Answer): OutcomeMessage {
  const { id } = answer
  if (answer.kind === 'lost') {
    const value = { format: 'json', text: JSON.stringify(answer.lost), parts: [] } as const
    return { kind: 'outcome', id, index, answer: 'lost', value }
  }
  return { kind: 'outcome', id, index, answer: answer.kind === 'error' ? 'error' : 'result', value: answer.value }
}

function parseLists(value: unknown): readonly (readonly unknown[])[] {
  if (!Array.isArray(value)) throw new MalformedValueError('the values of a batch must be an array')
  if (value.length > MOST_ARGUMENTS) throw new MalformedValueError(`a batch of more than ${MOST_ARGUMENTS} calls`)
  return value.map(parseArguments)
}
