import { fileURLToPath } from 'node:url'

import type { CallFailed, Timed } from './events.ts'
import type { ErrorSnapshot } from './snapshot.ts'

const MOST_ERRORS = 50
const LONGEST_TEXT = 4_000

/** The last errors of calls, newest first. */
export class ErrorList {
  #errors: ErrorSnapshot[] = []

  add(event: Timed<CallFailed>, { isRetried }: { readonly isRetried: boolean }): void {
    const { at, functionId, workerId, attempt, error } = event
    const entry = { at, functionId, workerId, attempt, isRetried, ...describeError(error) }
    this.#errors = [entry, ...this.#errors].slice(0, MOST_ERRORS)
  }

  toSnapshot(): readonly ErrorSnapshot[] {
    return this.#errors
  }
}

function describeError(error: unknown): Pick<ErrorSnapshot, 'name' | 'message' | 'stack' | 'source'> {
  if (!(error instanceof Error))
    return { name: typeof error, message: cut(String(error)), stack: '', source: undefined }
  const stack = cut(error.stack ?? '')
  return { name: error.name, message: cut(error.message), stack, source: findSource(stack) }
}

/** Position of the first frame that is the user's own code, as `/app/src/main.ts:12:5`. */
export function findSource(stack: string): string | undefined {
  for (const [, place = ''] of stack.matchAll(/^\s+at (?:.*\()?(.+:\d+:\d+)\)?$/gm)) {
    const isOwn = !place.startsWith('node:') && !place.includes('node_modules') && !place.includes('<anonymous>')
    if (isOwn) return place.startsWith('file:') ? fromUrl(place) : place
  }
  return undefined
}

function fromUrl(place: string): string {
  const [, url = '', position = ''] = /^(.*?)(:\d+:\d+)$/.exec(place) ?? []
  return fileURLToPath(url) + position
}

function cut(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)} …`
}
