import type { Socket } from 'node:net'

import type { HotPayload } from 'vite'

/** Messages of the dev channel: one JSON text a line. */
export function sendLine(socket: Socket, message: HotPayload): void {
  if (!socket.destroyed) socket.write(`${JSON.stringify(message)}\n`)
}

/** Calls `onMessage` for each complete line; the parts of a long one are put together once. */
export function readLines(socket: Socket, onMessage: (message: HotPayload) => void): void {
  const parts: string[] = []
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = chunk.split('\n')
    const rest = lines.pop() ?? ''
    for (const line of lines) {
      const text = parts.splice(0).join('') + line
      onMessage(JSON.parse(text))
    }
    parts.push(rest)
  })
}
