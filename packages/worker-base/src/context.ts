// What lifted functions may ask for. Behind a global symbol, since this module is bundled with user code while the
// executor, which sets the values, is a program of its own.

/** Prints lines that reach the main program labelled with their call. */
export interface LiftLogger {
  debug(...values: unknown[]): void
  info(...values: unknown[]): void
  warn(...values: unknown[]): void
  error(...values: unknown[]): void
}

/** What a lifted function may know of the call that it serves. */
export interface LiftContext {
  /** Unique in the run. */
  readonly callId: string
  /** 1 for the first try. */
  readonly attempt: number
  /** Aborted when the caller gives up; the function should end soon, or its executor is ended. */
  readonly signal: AbortSignal
  readonly logger: LiftLogger
  readonly workerId: string
  /** What tools of the caller sent along: with OpenTelemetry its trace context, as `traceparent`. */
  readonly carrier: Readonly<Record<string, string>>
}

/** Runs once in each executor, before its first call or after its last one. */
export type WorkerHook = () => void | Promise<void>

/** What the executor puts behind the symbol. */
export interface ContextHost {
  current(): LiftContext | undefined
  addStartHook(hook: WorkerHook): void
  addStopHook(hook: WorkerHook): void
}

const HOST = Symbol.for('turbolift.context')

/**
 * The context of the running call.
 * @throws Error outside of a lifted call
 */
export function liftContext(): LiftContext {
  const context = findHost()?.current()
  if (context === undefined) {
    throw new Error(
      'liftContext() was called outside of a lifted call.\n' +
        '  why: There is a context only while a worker runs a lifted function.\n' +
        '  fix: Call it inside the function that has "use lift", not at the top of its module.',
    )
  }
  return context
}

/**
 * Registers what is to be opened once for each executor, before the call that runs next. Call it at the top of a
 * module. If the hook fails, so does that call; the next call tries again. Does nothing outside of workers.
 */
export function onWorkerStart(hook: WorkerHook): void {
  findHost()?.addStartHook(hook)
}

/** Registers what is to be closed after the last call of an executor. Does nothing outside of workers. */
export function onWorkerStop(hook: WorkerHook): void {
  findHost()?.addStopHook(hook)
}

/** For the executor: makes `host` answer the functions above. */
export function installContextHost(host: ContextHost): void {
  Object.defineProperty(globalThis, HOST, { value: host, configurable: true })
}

function findHost(): ContextHost | undefined {
  return Reflect.get(globalThis, HOST)
}
