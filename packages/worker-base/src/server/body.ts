import type { IncomingMessage, ServerResponse } from 'node:http'

import { Refusal } from './refusal.ts'

/** Bytes of bodies that a worker holds at a time, all callers together. */
export class BodyBudget {
  /** Also the largest body. */
  readonly maxBytes: number
  #held = 0

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  hold(): HeldBytes {
    let bytes = 0
    return {
      /** @throws Refusal 413, 503 */
      add: (more) => {
        if (bytes + more > this.maxBytes) throw tooLarge(this.maxBytes)
        if (this.#held + more > this.maxBytes) {
          throw new Refusal(503, 'The worker holds as many bodies as it has memory for: try again.', {
            headers: { 'retry-after': '1' },
          })
        }
        bytes += more
        this.#held += more
      },
      release: () => {
        this.#held -= bytes
        bytes = 0
      },
    }
  }
}

/** What one call holds of the budget. */
export interface HeldBytes {
  add(bytes: number): void
  release(): void
}

/** @throws Refusal 413 and 503, before it is read where the caller says how long it is; 400 if it breaks off */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  { budget, held }: { readonly budget: BodyBudget; readonly held: HeldBytes },
): Promise<readonly Buffer[]> {
  if (Number(request.headers['content-length'] ?? 0) > budget.maxBytes) throw tooLarge(budget.maxBytes)
  if (request.headers.expect !== undefined) askForBody(response)
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request) {
      held.add(chunk.length)
      chunks.push(chunk)
    }
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal(400, 'The body broke off.')
  }
  return chunks
}

/** Node writes it behind the answer when answers to earlier requests of the connection are still to come. */
function askForBody(response: ServerResponse): void {
  if (response.socket !== null) return response.writeContinue()
  response.once('socket', () => {
    if (!response.headersSent) response.writeContinue()
  })
}

function tooLarge(maxBytes: number): Refusal {
  return new Refusal(413, `The body is larger than ${maxBytes} bytes.`)
}
