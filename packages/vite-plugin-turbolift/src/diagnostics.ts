import type { TextRange } from './ast.ts'
import { codeFrame } from './source.ts'
import type { Source } from './source.ts'

/** A problem of one module, found at build time. */
export interface Diagnostic {
  readonly code: DiagnosticCode
  readonly severity: 'error' | 'warning'
  readonly at: TextRange
  /** What happened, why it is refused, what to do. */
  readonly what: string
  readonly why: string
  readonly fix: string
}

export type DiagnosticCode =
  | 'CAPTURE_NOT_SENDABLE'
  | 'CAPTURE_REASSIGNED'
  | 'COMMONJS_NOT_LIFTABLE'
  | 'DIRECTIVE_IN_CLIENT'
  | 'DIRECTIVE_MISPLACED'
  | 'DIRECTIVE_MISSPELT'
  | 'DIRECTIVE_REPEATED'
  | 'EXPORT_NOT_ASYNC'
  | 'EXPORT_NOT_LIFTED'
  | 'FUNCTION_NOT_ASYNC'
  | 'METHOD_NOT_LIFTABLE'
  | 'MODULE_LEFT_MAIN'
  | 'MODULE_RUNS_IN_WORKERS'
  | 'MODULE_STATE_COPIED'
  | 'MODULE_STATE_SHARED'
  | 'POOL_UNKNOWN'
  | 'SETUP_LEFT_OUT'
  | 'SYNTAX_UNREADABLE'
  | 'TYPE_NOT_SENDABLE'
  | 'TYPE_UNCHECKED'
  | 'USES_ARGUMENTS'
  | 'USES_SUPER'
  | 'USES_THIS'
  | 'VALUE_DIFFERS'

type Details = Omit<Diagnostic, 'code' | 'severity' | 'at'>

export function error(code: DiagnosticCode, at: TextRange, details: Details): Diagnostic {
  return { code, severity: 'error', at, ...details }
}

export function warning(code: DiagnosticCode, at: TextRange, details: Details): Diagnostic {
  return { code, severity: 'warning', at, ...details }
}

export function captureNotSendable(name: string, kind: string, at: TextRange): Diagnostic {
  return error('CAPTURE_NOT_SENDABLE', at, {
    what: `The lifted function captures "${name}", which is a ${kind}.`,
    why: 'What a nested lifted function captures travels to the worker as a copy, and code cannot be copied.',
    fix: `Move "${name}" to the top level of the module, or pass what it yields as a parameter.`,
  })
}

export function captureReassigned(name: string, at: TextRange): Diagnostic {
  return error('CAPTURE_REASSIGNED', at, {
    what: `"${name}" is assigned, and the lifted function captures it.`,
    why: 'Captures travel to the worker as copies, so one side would see an old value.',
    fix: `Pass "${name}" as a parameter and return what changes, or copy it into a const and use that.`,
  })
}

export function directiveInClient(at: TextRange): Diagnostic {
  return error('DIRECTIVE_IN_CLIENT', at, {
    what: 'A lifted function is in code for the browser.',
    why: 'Workers are processes of this machine or of a cluster; a browser can start neither.',
    fix: 'Call the lifted function in server code, and let the browser ask the server. A program or library of Node is built by build.ssr: with build.lib or an input alone, Vite builds for browsers.',
  })
}

export function commonJsNotLiftable(at: TextRange): Diagnostic {
  return error('COMMONJS_NOT_LIFTABLE', at, {
    what: 'A lifted function is in a CommonJS module.',
    why: 'What takes its place in the program is imported, and what it needs is found by imports; this module has none.',
    fix: 'Write the module with import and export, in a file that ends in .js, .mjs or .ts.',
  })
}

export function directiveMisplaced(at: TextRange): Diagnostic {
  return error('DIRECTIVE_MISPLACED', at, {
    what: "'use lift' is not the first statement of a function or module.",
    why: 'Only there it is a directive; anywhere else it is a string without effect, and nothing would be lifted.',
    fix: 'Move it to the top of the function body, without parentheses, before all other statements.',
  })
}

export function directiveMisspelt(text: string, at: TextRange): Diagnostic {
  return error('DIRECTIVE_MISSPELT', at, {
    what: `"${text}" looks like a misspelt 'use lift'.`,
    why: 'An unknown directive has no effect, and the function would run in the main program.',
    fix: "Write 'use lift', or 'use lift: pool' with the name of a pool.",
  })
}

export function directiveRepeated(at: TextRange): Diagnostic {
  return error('DIRECTIVE_REPEATED', at, {
    what: "'use lift' stands more than once in the same function or module.",
    why: 'Each may name another pool, and only one can hold.',
    fix: 'Keep one of them.',
  })
}

export function exportNotAsync(name: string, at: TextRange): Diagnostic {
  return error('EXPORT_NOT_ASYNC', at, {
    what: `The exported function "${name}" of a lifted module is not async.`,
    why: 'All exported functions of such a module become calls to a worker, whose results come later.',
    fix: 'Make it async, or move it to a module that is not lifted.',
  })
}

export function exportNotLifted(name: string, at: TextRange): Diagnostic {
  return warning('EXPORT_NOT_LIFTED', at, {
    what: `"${name}" is an async function inside of an export of a lifted module, and is not lifted.`,
    why: 'Of such a module the exported functions themselves are lifted, not what calls, objects and classes hold.',
    fix: "Write 'use lift' as the first statement of that function, or export it by itself.",
  })
}

export function functionNotAsync(name: string, at: TextRange, isGenerator: boolean): Diagnostic {
  return error('FUNCTION_NOT_ASYNC', at, {
    what: `The lifted ${isGenerator ? 'generator' : 'function'} "${name}" is not async.`,
    why: `A call to a worker takes time, so its ${isGenerator ? 'values' : 'result'} cannot be there at once.`,
    fix: isGenerator ? 'Make it an async generator.' : 'Make it async, and await its calls.',
  })
}

export function methodNotLiftable(what: string, at: TextRange): Diagnostic {
  return error('METHOD_NOT_LIFTABLE', at, {
    what: `A ${what} cannot be lifted.`,
    why: 'It belongs to an object that stays in the main program.',
    fix: 'Lift a function, an object method with a plain name or a static method, and pass it the data it needs.',
  })
}

export function poolUnknown(pool: string, known: readonly string[], at: TextRange): Diagnostic {
  return error('POOL_UNKNOWN', at, {
    what: `'use lift: ${pool}' names a pool that is not configured.`,
    why: `The plugin's option "pools" has ${known.length === 0 ? 'none' : known.map((name) => `"${name}"`).join(', ')}.`,
    fix: `Add it: turbolift({ pools: { ${JSON.stringify(pool)}: {} } }), or use one of those.`,
  })
}

export function usesThis(what: 'this' | 'new.target', at: TextRange): Diagnostic {
  return error('USES_THIS', at, {
    what: `The lifted function uses "${what}".`,
    why: 'A call to a worker sends arguments only; the object stays here.',
    fix: 'Pass what the function needs as a parameter.',
  })
}

export function privateNotReachable(name: string, at: TextRange): Diagnostic {
  return error('CAPTURE_NOT_SENDABLE', at, {
    what: `The lifted function uses "#${name}", which is private in a class inside of something else.`,
    why: 'The worker has classes of the top level only, and private members are not to be had from outside.',
    fix: `Move the class to the top level of the module and give it a name, or pass what "#${name}" holds as a parameter.`,
  })
}

export interface UnsendableType {
  readonly name: string
  /** `parameter 0.options.onDone is a function` */
  readonly problem: string
  /** False where only some values of the type cannot be sent. */
  readonly isCertain: boolean
}

export function typeNotSendable({ name, problem, isCertain }: UnsendableType, at: TextRange): Diagnostic {
  const what = isCertain ? problem : problem.replace(/ is (an? )/, ' may be $1')
  return (isCertain ? error : warning)('TYPE_NOT_SENDABLE', at, {
    what: `"${name}": ${what}.`,
    why: 'Arguments and results travel between the program and its workers as copies, and this cannot be copied.',
    fix: 'Send plain data in its place. "typecheck: false" switches this check off.',
  })
}

const TYPE_UNCHECKED = {
  why: 'A value that cannot be sent is found when the program runs, not when it is built.',
  fix: 'Mend what the compiler says, or name a simpler type for the parameters and the result. "typecheck: false" switches this check off.',
}

export function typeUnchecked(
  { name, reason }: { readonly name: string; readonly reason: string },
  at: TextRange,
): Diagnostic {
  return warning('TYPE_UNCHECKED', at, {
    what: `TypeScript cannot tell whether the parameters and the result of "${name}" can be sent: ${reason}`,
    ...TYPE_UNCHECKED,
  })
}

/** The same of what is no single function's matter. */
export function explainUnchecked(what: string): string {
  return explain({ code: 'TYPE_UNCHECKED', what, ...TYPE_UNCHECKED })
}

export function usesArguments(at: TextRange): Diagnostic {
  return error('USES_ARGUMENTS', at, {
    what: 'The lifted function uses "arguments".',
    why: 'It is not an array, and an arrow function would take it from the function around it.',
    fix: 'Use a rest parameter: (...args).',
  })
}

export function usesSuper(at: TextRange): Diagnostic {
  return error('USES_SUPER', at, {
    what: 'The lifted function uses "super".',
    why: 'The object that it belongs to stays in the main program.',
    fix: 'Call the other function by its name, and pass it the data it needs.',
  })
}

export function syntaxUnreadable(message: string, at: TextRange): Diagnostic {
  return error('SYNTAX_UNREADABLE', at, {
    what: `The module has lifted functions but cannot be read: ${message}.`,
    why: 'The plugin reads JavaScript; TypeScript, JSX and proposals must be compiled before it.',
    fix: 'Put turbolift() after the plugin that compiles this syntax, or move the lifted functions to a module without it.',
  })
}

/**
 * A worker would load the program's own entry, and with it everything that it starts.
 * @param chain the modules from a lifted one to the entry, as paths from the root
 */
export function workerReachesEntry(chain: readonly string[]): Error {
  const message = explain({
    code: 'WORKER_REACHES_ENTRY',
    what: 'A worker would load the main entry of the program.',
    why: `Its imports lead there, and whatever the entry starts would start in every worker:\n${chain.map((id) => `    ${id}`).join('\n')}`,
    fix: 'Move what the worker needs from the entry into a module of its own.',
  })
  return Object.assign(new Error(message), { name: 'LiftCompileError', code: 'WORKER_REACHES_ENTRY' })
}

export function explain(problem: { readonly code: string } & Details): string {
  return `${problem.code}: ${problem.what}\n  why: ${problem.why}\n  fix: ${problem.fix}`
}

/** All errors of one module. Their code frames are in its message; in a field of their own bundlers would print them again. */
export class LiftCompileError extends Error {
  override name = 'LiftCompileError'
  readonly code: string
  readonly id: string
  readonly loc: { readonly file: string; readonly line: number; readonly column: number }
  readonly diagnostics: readonly Diagnostic[]

  constructor(diagnostics: readonly [Diagnostic, ...Diagnostic[]], source: Source) {
    super(diagnostics.map((one) => describe(one, source)).join('\n\n'))
    // Bundlers print stacks; where this plugin noticed a problem is of no use to anyone.
    this.stack = `${this.name}: ${this.message}`
    const [first] = diagnostics
    this.code = first.code
    this.id = source.file
    this.loc = { file: source.file, ...source.locate(first.at.start) }
    this.diagnostics = diagnostics
  }
}

/** A problem with its place and code frame. */
export function describe(diagnostic: Diagnostic, source: Source): string {
  const loc = source.locate(diagnostic.at.start)
  return `${explain(diagnostic)}\n  at ${source.file}:${loc.line}:${loc.column + 1}\n${codeFrame(source.text, loc)}`
}
