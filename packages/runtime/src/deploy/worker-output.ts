import { StringDecoder } from 'node:string_decoder'
import type { Readable, Writable } from 'node:stream'

import { print } from '../watch/print.ts'

/** A line that never ends is passed on in pieces of this length. */
const LONGEST_LINE = 1024 * 1024

export interface OutputOptions {
  /** Put in front of each line, or `undefined` to pass the bytes on as they are. */
  readonly label: string | undefined
  /** Sees each whole line, for the last words of a worker that dies. */
  readonly onLine?: (line: string) => void
}

/** Passes what a worker prints on to a stream of the program, only whole lines at a time, with back-pressure. */
export function forwardOutput(from: Readable, to: Writable | undefined, { label, onLine }: OutputOptions): void {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  const write = (text: string) => {
    if (to === undefined || print(to, text, () => from.resume())) return
    from.pause()
  }
  const take = (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > LONGEST_LINE) {
      lines.push(rest)
      rest = ''
    }
    for (const line of lines) onLine?.(line)
    if (lines.length > 0)
      write(lines.map((line) => (label === undefined ? `${line}\n` : `${label} ${line}\n`)).join(''))
  }
  from.on('data', (chunk: Buffer) => take(decoder.write(chunk)))
  from.on('end', () => {
    const last = decoder.end()
    if (rest + last !== '') take(`${last}\n`)
  })
}
