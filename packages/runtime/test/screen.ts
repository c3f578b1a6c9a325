import { Writable } from 'node:stream'

import xterm from '@xterm/headless'

import type { OutputStream } from '../src/watch/live-lines.ts'

/** A terminal of this size and what a person would see on it. */
export interface Screen {
  /** A stream to it; any number of them may be made. */
  createStream(): OutputStream
  /** The lines on it, without the empty ones at the end. */
  read(): Promise<readonly string[]>
  /** Everything that was written, control sequences included. */
  readonly written: string
}

export function createScreen({ columns, rows = 24, hasColors = false }: ScreenSize): Screen {
  const terminal = new xterm.Terminal({ cols: columns, rows, convertEol: true, allowProposedApi: true })
  let written = ''
  const createStream = () => {
    const stream = new Writable({
      decodeStrings: false,
      write(chunk: string | Uint8Array, _encoding, done) {
        written += String(chunk)
        terminal.write(chunk)
        done()
      },
    })
    return Object.assign(stream, { isTTY: true, columns, hasColors: () => hasColors })
  }
  const read = async () => {
    // The terminal parses later than it is written to.
    await new Promise<void>((resolve) => terminal.write('', resolve))
    const { active } = terminal.buffer
    const lines = Array.from({ length: active.length }, (_, row) => active.getLine(row)?.translateToString(true) ?? '')
    return lines.slice(0, lines.findLastIndex((line) => line !== '') + 1)
  }
  return {
    createStream,
    read,
    get written() {
      return written
    },
  }
}

interface ScreenSize {
  readonly columns: number
  readonly rows?: number
  readonly hasColors?: boolean
}
