import type { Writable } from 'node:stream'

/**
 * Writes as `console` does: that nobody reads any more, as behind `| head`, does not end the program.
 * @param onWritten called when it is written, or cannot be
 */
export function print(stream: Writable, text: string | Uint8Array, onWritten?: () => void): boolean {
  return stream.write(text, (error) => {
    if (error instanceof Error && stream.listenerCount('error') === 0) stream.once('error', () => undefined)
    onWritten?.()
  })
}
