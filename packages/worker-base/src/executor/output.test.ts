import { describe, expect, it } from 'vitest'

import { createOutputLines } from './output.ts'

class Recorder {
  now = 0
  readonly emitted: (readonly [string, number])[] = []
  readonly lines = createOutputLines({ now: () => this.now, emit: (...line) => void this.emitted.push(line) })
}

describe('output', () => {
  it('is cut into whole lines', () => {
    const { lines, emitted } = new Recorder()
    for (const chunk of ['one\ntw', 'o\nthree\nfo']) lines.write(chunk)
    expect(lines.hasUnfinishedLine).toBe(true)
    lines.flushLine()
    lines.flushLine()
    expect(emitted.map(([text]) => text)).toEqual(['one', 'two\nthree', 'fo'])
  })

  it('keeps characters whole that are cut between chunks', () => {
    const { lines, emitted } = new Recorder()
    const bytes = Buffer.from('ä€\u{1f600}\n')
    for (const byte of bytes) lines.write(Buffer.of(byte))
    expect(emitted).toEqual([['ä€\u{1f600}', 0]])
  })

  it('drops what is too much in a second, and says how much', () => {
    const recorder = new Recorder()
    for (let line = 0; line < 5000; line += 1) recorder.lines.write(`${line}\n`)
    expect(recorder.emitted).toHaveLength(2000)
    recorder.now = 1001
    recorder.lines.write('later\n')
    expect(recorder.emitted.at(-1)).toEqual(['later', 3000])
    recorder.lines.write('z\n'.repeat(5000))
    recorder.lines.flush()
    expect(recorder.emitted.at(-1)).toEqual(['', 5000])
  })

  it('lets one line be of megabytes', () => {
    const { lines, emitted } = new Recorder()
    for (const part of ['x'.repeat(1_500_000), 'y'.repeat(1_500_000), '\n']) lines.write(part)
    expect(emitted.map(([text]) => text.length)).toEqual([3_000_000])
  })

  it('cuts endless lines', () => {
    const { lines, emitted } = new Recorder()
    for (let part = 0; part < 5; part += 1) lines.write('x'.repeat(1_000_000))
    expect(emitted.map(([text]) => text.length)).toEqual([5_000_000])
    expect(lines.hasUnfinishedLine).toBe(false)
  })
})
