import { DeployError } from '../errors.ts'

export interface WorkerExit {
  readonly id: string
  readonly exitCode: number | null
  readonly signal: string | null
  /** The last lines that it printed to stderr. */
  readonly lastLines: readonly string[]
}

/** A worker process ended by itself. */
export function workerExited({ id, exitCode, signal, lastLines }: WorkerExit, cause: Error | undefined): DeployError {
  const how = signal === null ? `with exit code ${exitCode}` : `by the signal ${signal}`
  const said = lastLines.length === 0 ? '' : `\n  its last lines:\n${lastLines.map((line) => `    ${line}`).join('\n')}`
  return new DeployError(
    'WORKER_EXITED',
    {
      what: cause === undefined ? `Worker ${id} ended ${how}.` : `Worker ${id} could not be started: ${cause.message}.`,
      why: `A lifted function or a module of it ended the process, or the system did, for lack of memory.${said}`,
      fix: 'Look at the last lines; run with TURBOLIFT_TARGET=inline to debug the functions in this process.',
    },
    { cause },
  )
}

/** The system, or Node, refuses to start a process at all. */
export function processRefused(cause: unknown): DeployError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return new DeployError(
    'PROCESS_REFUSED',
    {
      what: 'No worker process can be started.',
      why: cause instanceof Error ? cause.message : String(cause),
      fix:
        NOT_STARTED_FIXES.get(code) ??
        'Look at the cause, or run with TURBOLIFT_TARGET=inline, which needs no processes.',
    },
    { cause },
  )
}

const NOT_STARTED_FIXES: ReadonlyMap<unknown, string> = new Map([
  [
    'E2BIG',
    'Make the environment smaller: workers get all variables of the program, and the system limits their size.',
  ],
  ['ERR_ACCESS_DENIED', 'Start Node with --allow-child-process too, or run with TURBOLIFT_TARGET=inline.'],
])

/** A worker process runs but does not listen. */
export function workerStartTimeout(id: string, cause: Error): DeployError {
  return new DeployError(
    'WORKER_START_TIMEOUT',
    {
      what: `Worker ${id} did not answer in time after its start.`,
      why: `The last try to connect said: ${cause.message}.`,
      fix: 'Raise startTimeoutMs if this machine is busy.',
    },
    { cause },
  )
}

/** The connection to a worker broke, or could not be made. */
export function workerUnreachable(id: string, cause: unknown): DeployError {
  return new DeployError(
    'WORKER_UNREACHABLE',
    {
      what: `The connection to worker ${id} is gone.`,
      why: cause instanceof Error ? cause.message : 'The worker closed it: it ended, or was ended.',
      fix: 'Nothing, if it happens once: its calls are tried again on another worker.',
    },
    { cause },
  )
}

/** A worker neither answers calls nor pings. */
export function workerSilent(id: string, silentMs: number): DeployError {
  return new DeployError('WORKER_SILENT', {
    what: `Worker ${id} was silent for ${silentMs / 1000} s.`,
    why: 'It answers pings however busy its functions are, so it is stopped, or the network to it is gone.',
    fix: 'Nothing, if it happens once: its calls are tried again on another worker.',
  })
}

/** A worker said that it ends, and does not. */
export function workerLingers(id: string, drainMs: number): DeployError {
  return new DeployError('WORKER_SILENT', {
    what: `Worker ${id} said ${drainMs / 1000} s ago that it ends, and is still there.`,
    why: 'It has no calls left, so a stop hook hangs, or what answers there is no worker any more.',
    fix: 'Nothing, if it happens once: another worker takes its place.',
  })
}

/** The worker's code did not load. */
export function workerFailed(id: string, cause: unknown): DeployError {
  return new DeployError(
    'WORKER_FAILED',
    {
      what: `Worker ${id} cannot load its code.`,
      why: cause instanceof Error ? cause.message : String(cause),
      fix: 'Look at the cause; a package with native code has to be installed where the worker runs.',
    },
    { cause },
  )
}

/** The worker refused the connection. */
export function workerRefused(id: string, cause: Error): DeployError {
  return new DeployError(
    'WORKER_REFUSED',
    {
      what: `Worker ${id} refused the connection.`,
      why: cause.message,
      fix: 'Start the program again; if it stays, a proxy in between answers, or workers of another build are there.',
    },
    { cause },
  )
}

/** A worker was stopped because it was not needed any more, and had calls all the same. */
export function workerStopped(id: string): DeployError {
  return new DeployError('WORKER_STOPPED', {
    what: `Worker ${id} was stopped.`,
    why: 'It was idle, or the platform needs its place.',
    fix: 'Nothing: its calls are made again on another worker.',
  })
}
