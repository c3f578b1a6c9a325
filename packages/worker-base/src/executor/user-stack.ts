import { fileURLToPath } from 'node:url'

/** The executor program itself; its frames tell the user nothing. */
const OWN_FILE = import.meta.url
const OWN_PATH = fileURLToPath(OWN_FILE)
const CONTEXT_FRAME = 'at AsyncLocalStorage.run (node:async_hooks'

/**
 * Makes the stacks of an error that user code threw, of its causes and of the errors it gathers, what its author
 * knows: without the frames of the executor, and with sources named from the program's root (`src/main.ts:5:9`).
 * @param folder URL of the folder that the worker's code was extracted to, with a slash at its end
 */
export function toUserStack(thrown: unknown, folder: string): unknown {
  const seen = new Set<unknown>()
  const pending: unknown[] = [thrown]
  while (pending.length > 0) {
    const error = pending.pop()
    if (!(error instanceof Error) || seen.has(error)) continue
    seen.add(error)
    if (typeof error.stack === 'string') error.stack = toUserFrames(error.stack, folder)
    pending.push(error.cause, ...(error instanceof AggregateError ? error.errors : []))
  }
  return thrown
}

function toUserFrames(stack: string, folder: string): string {
  return stack
    .split('\n')
    .filter((line) => !line.includes(OWN_FILE) && !line.includes(OWN_PATH) && !line.includes(CONTEXT_FRAME))
    .map((line) => (/^\s+at /.test(line) ? fromRoot(line, folder) : line))
    .join('\n')
}

/** Source maps name sources beside the chunk, which is not where they are. */
function fromRoot(line: string, folder: string): string {
  const paths = [`${folder}chunks/`, folder, fileURLToPath(`${folder}chunks/`), fileURLToPath(folder)]
  return paths.reduce((text, path) => text.replaceAll(path, ''), line)
}
