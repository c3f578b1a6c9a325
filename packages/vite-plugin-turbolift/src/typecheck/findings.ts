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
  /** False when the compiler stopped before it checked our assertions: a wrong option, a syntax error. */
  readonly isComplete: boolean
  /** The compiler's first message about something else; says why when not complete. */
  readonly otherMessage: string | undefined
}

/** The number of the assertion that always fails: its message proves that assertions were checked. */
export const CANARY = 'canary'

/**
 * Reads the messages of `tsc --pretty false`: those of failed assertions, which carry the number of their
 * function. The user's own type errors are none of our business.
 */
export function parseCheckerOutput(text: string): CheckerOutput {
  const lines = text.split(/\r?\n/)
  const failed = lines.flatMap((line) => [...literalsOf(line)])
  const findings = failed.flatMap((literal) => parseFinding(literal) ?? [])
  return {
    findings: summarise(findings),
    isComplete: failed.some((literal) => literal.startsWith(`${CANARY}!`)),
    otherMessage: lines.find((line) => /\berror TS\d+: /.test(line) && !line.includes('error TS2344: ')),
  }
}

/** `Type '"0!a is a function" | "0?b is a symbol"' does not satisfy the constraint '"ok"'.` */
function* literalsOf(line: string): Generator<string> {
  const message = /error TS2344: .*?'(.*)' .*?'"ok"'/.exec(line)
  for (const [, text] of message?.[1]?.matchAll(/["`]((?:\d+|canary)[!?](?:[^"`\\]|\\.)*)["`]/g) ?? []) {
    if (text !== undefined) yield text
  }
}

function parseFinding(literal: string): TypeFinding | undefined {
  const [, subject, certainty, problem] = /^(\d+)([!?])(.*)$/.exec(literal) ?? []
  if (subject === undefined || problem === undefined) return undefined
  return {
    subject: Number(subject),
    problem: problem.replaceAll('parameter ${number}', 'a rest parameter').replaceAll('${number}', ''),
    isCertain: certainty === '!',
  }
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
