import { StringDecoder } from 'node:string_decoder'

/** More lines or bytes than this in a second are dropped, and counted. */
const MAX_LINES = 2000
const MAX_BYTES = 1024 * 1024
const WINDOW_MS = 1000
/** Longer lines are cut here: someone who prints without line feeds must not fill the memory. */
const MAX_LINE_LENGTH = 4 * 1024 * 1024

export interface OutputOptions {
  /** Gets whole lines, and how many were dropped before them. */
  readonly emit: (text: string, dropped: number) => void
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
}

/** Cuts what is printed into lines and keeps their number bounded. */
export interface OutputLines {
  write(chunk: Uint8Array | string): void
  readonly hasUnfinishedLine: boolean
  /** Emits an unfinished line. */
  flushLine(): void
  /** Emits an unfinished line, and the number of dropped ones. */
  flush(): void
}

export function createOutputLines({ emit, now }: OutputOptions): OutputLines {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let dropped = 0
  let window = { start: now(), lines: 0, bytes: 0 }

  function emitLines(text: string): void {
    const lines = countLines(text)
    if (now() - window.start >= WINDOW_MS) window = { start: now(), lines: 0, bytes: 0 }
    // One text may be as large as it likes: a result that is printed as one line of megabytes comes out.
    if (window.lines + lines > MAX_LINES || window.bytes > MAX_BYTES) {
      dropped += lines
      return
    }
    window.lines += lines
    window.bytes += text.length
    emit(text, dropped)
    dropped = 0
  }

  function flushLine(): void {
    const text = rest
    rest = ''
    if (text !== '') emitLines(text)
  }

  return {
    get hasUnfinishedLine() {
      return rest !== ''
    },
    write(chunk) {
      const text = typeof chunk === 'string' ? chunk : decoder.write(toBuffer(chunk))
      const end = text.lastIndexOf('\n')
      if (end !== -1) emitLines(rest + text.slice(0, end))
      rest = end === -1 ? rest + text : text.slice(end + 1)
      if (rest.length > MAX_LINE_LENGTH) flushLine()
    },
    flushLine,
    flush() {
      flushLine()
      if (dropped > 0) emit('', dropped)
      dropped = 0
    },
  }
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function countLines(text: string): number {
  let lines = 1
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines += 1
  return lines
}
