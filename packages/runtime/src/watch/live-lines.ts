const UP = '\u001B[1A'
const CLEAR_TO_END = '\u001B[0J'

/** What `process.stdout` and `process.stderr` are, as far as it matters here; a pipe or file has no columns. */
export interface OutputStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string | Uint8Array): boolean
  /** Says no where there is no terminal, and where `NO_COLOR` is set. */
  hasColors?(): boolean
}

/** Lines at the bottom of a terminal that are drawn anew again and again, below whatever else is printed there. */
export interface LiveLines extends Disposable {
  /** Draws these lines in place of the ones before. Each must be shorter than the terminal is wide. */
  draw(lines: readonly string[]): void
  /** Prints a line that stays, above the live ones, as soon as the program's own line has ended. */
  print(line: string): void
}

/**
 * What the program writes meanwhile goes above the lines: they are taken away before and drawn again after it, once
 * it ends with a line feed. So a prompt or a progress bar of the program's own is left alone.
 * @param terminal where the lines are drawn
 * @param others streams to the same terminal
 */
export function createLiveLines(terminal: OutputStream, others: readonly OutputStream[]): LiveLines {
  return new TerminalLines(terminal, others)
}

class TerminalLines implements LiveLines {
  readonly #terminal: OutputStream
  readonly #restore: readonly (() => void)[]
  #lines: readonly string[] = []
  #waiting: string[] = []
  #isDrawn = false
  #isLineOpen = false
  #isOwnWrite = false

  constructor(terminal: OutputStream, others: readonly OutputStream[]) {
    this.#terminal = terminal
    this.#restore = [terminal, ...others].map((stream) => this.#intercept(stream))
  }

  draw(lines: readonly string[]): void {
    const isSame = lines.length === this.#lines.length && lines.every((line, index) => line === this.#lines[index])
    if (this.#isDrawn && isSame) return
    const clear = this.#toClear()
    this.#lines = lines
    this.#isDrawn = !this.#isLineOpen && lines.length > 0
    this.#write(clear + (this.#isDrawn ? lines.join('\n') : ''))
  }

  print(line: string): void {
    this.#waiting.push(line)
    if (this.#isLineOpen) return
    const clear = this.#toClear()
    this.#isDrawn = this.#lines.length > 0
    this.#write(clear + this.#takeWaiting() + this.#lines.join('\n'))
  }

  [Symbol.dispose](): void {
    this.draw([])
    if (this.#waiting.length > 0) this.#write(`\n${this.#takeWaiting()}`)
    for (const restore of this.#restore) restore()
  }

  #write(text: string): void {
    if (text === '') return
    this.#isOwnWrite = true
    this.#terminal.write(text)
    this.#isOwnWrite = false
  }

  #takeWaiting(): string {
    const text = this.#waiting.map((line) => `${line}\n`).join('')
    this.#waiting = []
    return text
  }

  #toClear(): string {
    return this.#isDrawn ? `\r${UP.repeat(this.#lines.length - 1)}${CLEAR_TO_END}` : ''
  }

  #intercept(stream: OutputStream): () => void {
    // oxlint-disable-next-line typescript/unbound-method -- only called with the stream as `this`
    const original = stream.write
    const write = new Proxy(original, {
      apply: (target, self, args: readonly unknown[]) => {
        if (this.#isOwnWrite) return Reflect.apply(target, self, args)
        this.#giveWay()
        const hasRoom = Reflect.apply(target, self, args)
        this.#comeBack(args[0])
        return hasRoom
      },
    })
    stream.write = write
    return () => {
      // Somebody may have wrapped it after us: then ours stays, and only passes on.
      if (stream.write === write) stream.write = original
    }
  }

  #giveWay(): void {
    const clear = this.#toClear()
    this.#isDrawn = false
    this.#write(clear)
  }

  #comeBack(written: unknown): void {
    const last = typeof written === 'string' || written instanceof Uint8Array ? written.at(-1) : undefined
    if (last !== undefined) this.#isLineOpen = last !== '\n' && last !== 10
    if (this.#isLineOpen) return
    this.#write(this.#takeWaiting())
    this.draw(this.#lines)
  }
}
