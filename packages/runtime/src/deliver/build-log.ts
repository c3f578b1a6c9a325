const MAX_LINES = 200
const MAX_LINE_LENGTH = 2000

/** The end of a build's output. Bounded, since `RUN` lines may print for ever. */
export class BuildLog {
  readonly #lines: string[] = []
  readonly #onLine: ((line: string) => void) | undefined
  #partial = ''
  #error: string | undefined

  constructor(onLine?: (line: string) => void) {
    this.#onLine = onLine
  }

  write(text: string): void {
    const lines = (this.#partial + text).split('\n')
    this.#partial = (lines.pop() ?? '').slice(-MAX_LINE_LENGTH)
    for (const line of lines) this.#add(line.replace(/\r$/, '').slice(0, MAX_LINE_LENGTH))
  }

  /** Takes what stands in the last line, though no line break followed. */
  end(): void {
    if (this.#partial !== '') this.#add(this.#partial)
    this.#partial = ''
  }

  /** First line that starts with `error`: what follows it is a hundred lines of usage. */
  get error(): string | undefined {
    return this.#error
  }

  get lines(): readonly string[] {
    return this.#lines
  }

  #add(line: string): void {
    if (this.#error === undefined && /^error\b/i.test(line)) this.#error = line
    // Nothing of the usage text that follows an error helps anyone.
    if (this.#error !== undefined && this.#error !== line) return
    this.#lines.push(line)
    if (this.#lines.length > MAX_LINES) this.#lines.shift()
    this.#onLine?.(line)
  }
}
