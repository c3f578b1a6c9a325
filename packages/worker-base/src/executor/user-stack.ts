import { fileURLToPath } from 'node:url'

/** The executor program itself; its frames tell the user nothing. */
const OWN_FILE = import.meta.url
const OWN_PATH = fileURLToPath(OWN_FILE)

/** Takes the frames of the executor out of the stack of an error that user code threw. */
export function toUserStack(thrown: unknown): unknown {
  if (!(thrown instanceof Error) || typeof thrown.stack !== 'string') return thrown
  thrown.stack = dropOwnFrames(thrown.stack)
  return thrown
}

function dropOwnFrames(stack: string): string {
  const lines = stack.split('\n')
  return lines.filter((line) => !line.includes(OWN_FILE) && !line.includes(OWN_PATH)).join('\n')
}
