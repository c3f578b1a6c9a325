/** One value of a lifted function's signature that cannot be sent between program and worker. */
export interface TypeFinding {
  /** Index of the function in the list that was checked. */
  readonly subject: number
  /** Where and what: `result.meta.conn.query is a function`. */
  readonly problem: string
  /** False where only some values of the type cannot be sent, as with an optional property. */
  readonly isCertain: boolean
}

/** What one run of `tsc` said about the generated program. */
export interface CheckerOutput {
  readonly findings: readonly TypeFinding[]
  /** Number of a function → how many assertions about it were checked. */
  readonly checked: ReadonlyMap<number, number>
  /** False when the compiler stopped before it checked our assertions: a wrong option, a syntax error. */
  readonly isComplete: boolean
  /** Its messages about something else. */
  readonly others: readonly CompilerMessage[]
}

export interface CompilerMessage {
  /** Without one it is about the options. */
  readonly file: string | undefined
  /** From 1, as the column is. */
  readonly line: number
  readonly column: number
  /** `TS2307` */
  readonly code: string
  readonly text: string
}

/** An assertion that fails whatever is asserted: its message proves that the compiler came that far. */
export const CANARY = 'canary!'

/** Reads the messages of `tsc --pretty false`: those of assertions, which carry the number of their function. */
export function parseCheckerOutput(text: string): CheckerOutput {
  const messages = text.split(/\r?\n/).flatMap((line) => parseMessage(line) ?? [])
  const assertions = messages.map((message) => [...literalsOf(message)]).filter((literals) => literals.length > 0)
  const checked = new Map<number, number>()
  for (const [literal = ''] of assertions.filter(([first]) => first !== CANARY)) {
    const number = Number.parseInt(literal, 10)
    checked.set(number, (checked.get(number) ?? 0) + 1)
  }
  return {
    findings: summarise(assertions.flat().flatMap((literal) => parseFinding(literal) ?? [])),
    checked,
    isComplete: assertions.flat().includes(CANARY),
    others: messages.filter(({ code }) => code !== ASSERTION_FAILED),
  }
}

const ASSERTION_FAILED = 'TS2344'

/** `src/a.ts(1,2): error TS2307: Cannot find …`, or without a place. */
function parseMessage(line: string): CompilerMessage | undefined {
  const [, file, row, column, code, text] = /^(?:(.+)\((\d+),(\d+)\): )?error (TS\d+): (.*)$/.exec(line) ?? []
  if (code === undefined || text === undefined) return undefined
  return { file, line: Number(row ?? 0), column: Number(column ?? 0), code, text }
}

/** `Type '"0!a is a function" | "0?b is a symbol"' does not satisfy the constraint '"ok"'.` */
function* literalsOf({ code, text }: CompilerMessage): Generator<string> {
  const message = code === ASSERTION_FAILED ? /'(.*)' .*?'"ok"'/.exec(text) : null
  for (const [, literal] of message?.[1]?.matchAll(/["`]((?:\d+|canary)[!?=](?:[^"`\\]|\\.)*)["`]/g) ?? []) {
    if (literal !== undefined) yield literal
  }
}

function parseFinding(literal: string): TypeFinding | undefined {
  const [, subject, certainty, problem] = /^(\d+)([!?])(.*)$/.exec(literal) ?? []
  if (subject === undefined || problem === undefined) return undefined
  return {
    subject: Number(subject),
    problem: toReadable(problem),
    isCertain: certainty === '!',
  }
}

function toReadable(path: string): string {
  return path.replaceAll('parameter ${number}', 'a rest parameter').replaceAll('${number}', '')
}

/**
 * In an order of our own, since that of a union differs between compilers. Of an object with several methods,
 * an instance of some class, the first method is enough to see what is meant.
 */
function summarise(findings: readonly TypeFinding[]): readonly TypeFinding[] {
  const sorted = findings.toSorted((a, b) => a.subject - b.subject || compareText(a.problem, b.problem))
  const instances = [...methodsByObject(sorted)].filter(([, methods]) => methods.length > 2)
  const others = sorted.filter((finding) => !instances.some(([object]) => keyOf(finding).startsWith(object)))
  const firsts = instances.flatMap(([, [first, ...more]]) =>
    first === undefined ? [] : [{ ...first, problem: `${first.problem} (and ${more.length} more of the same object)` }],
  )
  return [...others, ...firsts.filter((first) => !instances.some(([object]) => isInside(first, object)))]
}

function methodsByObject(findings: readonly TypeFinding[]): ReadonlyMap<string, readonly TypeFinding[]> {
  const groups = new Map<string, TypeFinding[]>()
  for (const finding of findings) {
    const [, object] = /^(.+)(?:\.[^.[\]]+|\[symbol\]) is a function$/.exec(keyOf(finding)) ?? []
    if (object !== undefined && finding.isCertain) groups.set(object, [...(groups.get(object) ?? []), finding])
  }
  return groups
}

/** Deeper than a method of the object itself. */
function isInside(finding: TypeFinding, object: string): boolean {
  const key = keyOf(finding)
  return key.startsWith(object) && /[.[]/.test(key.slice(object.length + 1).replace(/ is a .*$/, ''))
}

function keyOf({ subject, problem }: TypeFinding): string {
  return `${subject} ${problem}`
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
