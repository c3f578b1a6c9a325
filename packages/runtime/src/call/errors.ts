import type { UnsendableValueError } from '@turbolift/worker-base/wire'

import {
  CallTimeoutError,
  CancelledError,
  DeployError,
  LiftError,
  MapFailedError,
  OutOfMemoryError,
  TransferError,
  WorkerLostError,
} from '../errors.ts'
import type { MapFailure } from '../errors.ts'

/** A worker was lost in each try of a call. */
export function workerLost(name: string, tries: number, cause: unknown): WorkerLostError {
  return new WorkerLostError(
    'WORKER_LOST',
    {
      what: `A call of "${name}" was given up: its worker went away in each of ${tries} tries.`,
      why: cause instanceof Error ? cause.message : String(cause),
      fix: 'This call probably ends its worker: look for process.exit(), an error that nothing catches, native code that crashes, or memory without end.',
    },
    { cause },
  )
}

/** @param detail what the worker said of it, with the time */
export function callTimedOut(name: string, detail: string): CallTimeoutError {
  return new CallTimeoutError('CALL_TIMEOUT', {
    what: `A call of "${name}" took longer than its timeoutMs and was ended.`,
    why: detail === '' ? 'timeoutMs counts from when the function begins to run.' : detail,
    fix: 'Raise timeoutMs, or make the call smaller.',
  })
}

/** An answer that was damaged, or made by another version. */
export function answerUnreadable(name: string, cause: unknown): TransferError {
  return new TransferError(
    'ANSWER_UNREADABLE',
    {
      what: `What a worker answered to a call of "${name}" cannot be read.`,
      why: cause instanceof Error ? cause.message : String(cause),
      fix: 'Build the program again, and start it again: its workers may be of another build.',
    },
    { cause },
  )
}

/** A call that nobody will answer any more, because the program ends. */
export function runEnded(name: string): CancelledError {
  return new CancelledError('RUN_ENDED', {
    what: `A call of "${name}" was cancelled.`,
    why: 'The program is ending, and its workers with it.',
    fix: 'Await all calls before the program ends.',
  })
}

export function functionOutOfMemory(name: string, detail: string): OutOfMemoryError {
  return new OutOfMemoryError('OUT_OF_MEMORY', {
    what: `A call of "${name}" used more memory than its worker has.`,
    why: detail === '' ? 'The heap of its executor is full.' : detail,
    fix: 'Give it less at a time, or give the worker more memory.',
  })
}

export function unknownFunction(liftId: string, known: string): DeployError {
  return new DeployError('FUNCTION_UNKNOWN', {
    what: `The worker has no lifted function "${liftId}".`,
    why: known === '' ? 'Its code is of another build.' : `It has: ${known}.`,
    fix: 'Build the program again.',
  })
}

/** @param lost `path` and `detail` of what the worker refused to send */
export function resultUnsendable(
  name: string,
  lost: { readonly path?: string; readonly detail: string },
): TransferError {
  return new TransferError('RESULT_UNSENDABLE', {
    what: `The result of "${name}" cannot be sent to the program${lost.path === undefined ? '' : `: ${lost.path}`}.`,
    why: lost.detail,
    fix: 'Return plain data: objects, arrays, Map, Set, Date, typed arrays and the like.',
  })
}

/**
 * @param error what the encoder said, with the path
 * @param captures names of the captured values, which the path has by number
 */
export function argumentUnsendable(
  name: string,
  error: UnsendableValueError,
  captures: readonly string[] = [],
): TransferError {
  const [, index, rest = ''] = /^captures\[(\d+)\](.*)$/s.exec(error.path) ?? []
  return new TransferError(
    'ARGUMENT_UNSENDABLE',
    {
      what: `A call of "${name}" cannot be sent.`,
      why:
        index === undefined
          ? error.message
          : `${captures[Number(index)]}${rest}, which the function captures, is ${error.reason}.`,
      fix: 'Pass plain data: objects, arrays, Map, Set, Date, typed arrays and the like.',
    },
    { cause: error },
  )
}

export function callTooLarge(name: string, cause: Error): TransferError {
  return new TransferError(
    'CALL_TOO_LARGE',
    {
      what: `The arguments of a call of "${name}" are too large to be sent.`,
      why: cause.message,
      fix: 'Split the input, or pass a path or URL that the function reads itself.',
    },
    { cause },
  )
}

export function queueFull(name: string, most: number): LiftError {
  return new LiftError('QUEUE_FULL', {
    what: `A call of "${name}" was refused: ${most} calls wait already.`,
    why: 'Calls are made faster than workers answer, and each one that waits holds its arguments in memory.',
    fix: 'Use map(), which reads its inputs only as fast as they are worked on, or raise maxQueuedCalls.',
  })
}

export function mapFailed(name: string, failures: readonly MapFailure[]): MapFailedError {
  const shown = failures
    .slice(0, 5)
    .map(({ index, error }) => `\n    [${index}] ${error instanceof Error ? error.message : String(error)}`)
  const { what, why, fix } = {
    what: `${failures.length} calls of "${name}" failed, one more than maxFailures allows.`,
    why: `The first of them, with the index of the input:${shown.join('')}`,
    fix: 'Look at the errors in "failures", or raise maxFailures.',
  }
  return new MapFailedError(failures, `${what}\n  why: ${why}\n  fix: ${fix}`)
}

/** A call of a map that is not needed any more. */
export function mapStopped(name: string): CancelledError {
  return new CancelledError('MAP_STOPPED', {
    what: `A call of "${name}" was cancelled.`,
    why: 'Its map has ended early: the loop was left, or another call failed.',
    fix: 'Nothing: nobody waits for it.',
  })
}

/** What a map gave is looped over and awaited too. */
export function mapUsedTwice(name: string): LiftError {
  return new LiftError('MAP_USED_TWICE', {
    what: `What map() of "${name}" gave is used twice: in a loop, and with await.`,
    why: 'A loop does not keep the results that it has given, and to make all calls once more would run them twice.',
    fix: 'Await it, which can be done any number of times, and loop over the array.',
  })
}

/** The inputs of a map are nothing that can be looped over. */
export function inputsNotIterable(call: string, inputs: unknown): LiftError {
  const kind = inputs === null ? 'null' : inputs instanceof Promise ? 'a promise' : `of type ${typeof inputs}`
  return new LiftError('INPUTS_NOT_ITERABLE', {
    what: `${call}() got inputs that are ${kind}.`,
    why: 'It takes an iterable or an async iterable: an array, a Set, a generator, a stream.',
    fix: inputs instanceof Promise ? 'Await the promise first.' : 'Pass an array of inputs.',
  })
}

/** An input of `starmap` that cannot be spread. */
export function inputNotList(input: unknown): LiftError {
  return new LiftError('INPUT_NOT_LIST', {
    what: `An input of starmap() is ${input === null ? 'null' : `of type ${typeof input}`}, not an array.`,
    why: 'It calls the function with the elements of each input as arguments.',
    fix: 'Use map() for functions of one parameter, or pass arrays of arguments.',
  })
}

/** `next(value)` of a lifted generator. */
export function generatorTold(name: string): LiftError {
  return new LiftError('GENERATOR_TOLD', {
    what: `A value was given to the generator of "${name}" by next(value).`,
    why: 'Its values are computed ahead in the worker, so there is no "yield" that waits for this one.',
    fix: 'Pass what it needs as arguments: an async iterable among them arrives at its own pace.',
  })
}

/** `map` of a function whose calls give many values each. */
export function mapOfStream(name: string): LiftError {
  return new LiftError('MAP_OF_STREAM', {
    what: `map() cannot be used with "${name}".`,
    why: 'It is an async generator: each call gives many values, not one result.',
    fix: 'Call it in a loop with "for await", or let it return an array.',
  })
}
