import { createInterface } from 'node:readline'

import { send, stream } from './request.ts'
import type { RequestContext } from './request.ts'

export interface LogRequest {
  readonly container?: string
  /** Only the last lines. */
  readonly tailLines?: number
  /** The log of the container that ran before the last restart. */
  readonly previous?: boolean
  readonly signal?: AbortSignal | undefined
}

/** The log so far, of at most 1 MiB. */
export async function readLog(context: RequestContext, pod: string, request: LogRequest): Promise<string> {
  const { container, tailLines, previous, signal } = request
  const query = { container, tailLines, previous, limitBytes: 1024 * 1024 }
  const answer = await send(context, { method: 'GET', path: `${pod}/log`, query, signal, patienceMs: 10_000 })
  return answer.body
}

export async function* followLog(
  context: RequestContext,
  pod: string,
  { container, tailLines, signal }: LogRequest & { readonly signal: AbortSignal },
): AsyncGenerator<string> {
  const query = { container, tailLines, follow: true }
  const response = await stream(context, { method: 'GET', path: `${pod}/log`, query, signal })
  if (context.isBackground) response.socket.unref()
  let failure: unknown
  response.once('error', (error) => (failure = error))
  try {
    yield* createInterface({ input: response, crlfDelay: Infinity })
    signal.throwIfAborted()
    if (failure !== undefined) throw failure
  } finally {
    response.destroy()
  }
}
