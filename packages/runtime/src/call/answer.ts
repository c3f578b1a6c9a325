import { decodeError } from '@turbolift/worker-base/wire'
import type { Lost } from '@turbolift/worker-base/wire'

import { callTimedOut, functionOutOfMemory, resultUnsendable, unknownFunction } from './errors.ts'
import type { AnswerMessage } from './client.ts'
import type { Task } from './task.ts'

/** What follows from an answer that is not a result. */
export type Verdict =
  /** Send it again; the try counts or not. */
  | { readonly kind: 'again'; readonly countsAsAttempt: boolean; readonly why: string }
  | { readonly kind: 'failed'; readonly error: unknown }

/** Settles a task by its result, or says what to do with it. */
export function settleByAnswer(task: Task, message: AnswerMessage): Verdict | undefined {
  switch (message.kind) {
    case 'result':
    case 'end':
      task.resolve(message.value)
      return undefined
    case 'error':
      return { kind: 'failed', error: decodeError(message.value) }
    case 'lost':
      return judgeLost(task, message.lost)
  }
}

function judgeLost({ request, aborted }: Task, lost: Lost): Verdict {
  switch (lost.reason) {
    case 'exit':
      return { kind: 'again', countsAsAttempt: lost.started, why: 'it called process.exit()' }
    case 'crashed':
      return { kind: 'again', countsAsAttempt: lost.started, why: `an uncaught error ended it: ${lost.detail}` }
    case 'aborted':
      if (aborted !== undefined) return { kind: 'failed', error: aborted.reason }
      return { kind: 'again', countsAsAttempt: false, why: 'its worker stopped' }
    case 'recalled':
    case 'draining':
      return { kind: 'again', countsAsAttempt: false, why: 'its worker stopped' }
    case 'out-of-memory':
      return { kind: 'failed', error: functionOutOfMemory(request.name, lost.detail) }
    case 'timeout':
      return { kind: 'failed', error: callTimedOut(request.name, lost.detail) }
    case 'unknown-function':
      return { kind: 'failed', error: unknownFunction(request.liftId, lost.detail) }
    case 'unsendable':
      return { kind: 'failed', error: resultUnsendable(request.name, lost) }
  }
}
