import { fileURLToPath } from 'node:url'

/** A getter may give new causes for ever. */
const MOST_ERRORS = 1000
const CONTEXT_FRAME = 'at AsyncLocalStorage.run (node:async_hooks'

/**
 * Makes the stacks of an error that user code threw, of its causes and of the errors it gathers, what its author
 * knows: without the frames of the executor, and with sources named from the program's root (`src/main.ts:5:9`).
 * @param folder URL of the folder that the worker's code was extracted to, with a slash at its end
 * @param executor URL of the executor program, whose frames tell the user nothing
 */
export function toUserStack(thrown: unknown, folder: string, executor: string = import.meta.url): unknown {
  const seen = new Set<unknown>()
  const pending: unknown[] = [thrown]
  while (pending.length > 0) {
    const error = pending.pop()
    if (!(error instanceof Error) || seen.has(error) || seen.size === MOST_ERRORS) continue
    seen.add(error)
    pending.push(...nameFrames(error, (stack) => toUserFrames(stack, folder, executor)))
  }
  return thrown
}

/** Returns the errors that this one holds. */
function nameFrames(error: Error, toFrames: (stack: string) => string): readonly unknown[] {
  try {
    if (typeof error.stack === 'string') error.stack = toFrames(error.stack)
    return [error.cause, ...(error instanceof AggregateError ? error.errors : [])]
  } catch {
    // A frozen error, or one with getters that throw, keeps the stack that it has.
    return []
  }
}

/** The same for the text of a stack. */
export function toUserFrames(stack: string, folder: string, executor: string): string {
  const path = fileURLToPath(executor)
  return stack
    .split('\n')
    .filter((line) => !line.includes(executor) && !line.includes(path) && !line.includes(CONTEXT_FRAME))
    .map((line) => (/^\s+at /.test(line) ? fromRoot(line, folder) : line))
    .join('\n')
}

/** Source maps name sources beside the chunk, which is not where they are. */
function fromRoot(line: string, folder: string): string {
  const paths = [`${folder}chunks/`, folder, fileURLToPath(`${folder}chunks/`), fileURLToPath(folder)]
  return paths.reduce((text, path) => text.replaceAll(path, ''), line)
}
