import { readFileSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'

import { DEFAULT_MAX_FRAME_BYTES } from './wire/frame.ts'

/** What the environment of a worker says. */
export interface WorkerSettings {
  readonly listen: ListenAddress
  /** Hash of the manifest: connections of another build are refused. */
  readonly build: string
  readonly workerId: string
  /** Calls at a time, each on an executor of its own. */
  readonly concurrency: number
  /** Largest frame of a connection. */
  readonly maxFrameBytes: number
  /** Most bytes of bodies of `POST /call` at a time. */
  readonly maxBodyBytes: number
  /** Longest run time of a `POST /call`; 0: no limit. Calls of a connection say their own. */
  readonly timeoutMs: number
  /** TLS for the whole port. */
  readonly tls: { readonly certificate: Buffer; readonly key: Buffer } | undefined
  /** Ends when the program does that started this worker; `undefined`: the worker stands for itself. */
  readonly lifeline: Lifeline | undefined
  /** Folder of the run, which goes with the program that is behind the lifeline. */
  readonly runFolder: string | undefined
  /** Heap limit of each executor. `undefined`: Node's own. */
  readonly heapMegabytes: number | undefined
}

/** `own`: the fourth file descriptor; standard input is then nothing but empty, for processes that user code starts. */
export type Lifeline = 'stdin' | 'own'

export type ListenAddress =
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'port'; readonly port: number; readonly host: string | undefined }

type Environment = Readonly<Record<string, string | undefined>>

const OWN_NAMES = [
  'TURBOLIFT_LISTEN',
  'TURBOLIFT_TOKEN',
  'TURBOLIFT_TOKEN_FILE',
  'TURBOLIFT_BUILD',
  'TURBOLIFT_WORKER_ID',
  'TURBOLIFT_CONCURRENCY',
  'TURBOLIFT_MAX_BODY_BYTES',
  'TURBOLIFT_TIMEOUT_MS',
  'TURBOLIFT_TLS_CERT',
  'TURBOLIFT_TLS_KEY',
  'TURBOLIFT_LIFELINE',
  'TURBOLIFT_RUN_FOLDER',
  'TURBOLIFT_EXECUTOR_MEMORY_MB',
]

/** What a container may use besides the heaps of its executors: code, stacks, buffers, the talking thread. */
const RESERVED_MEGABYTES = 96
const MEGABYTE = 1024 * 1024
/** A body, its text, what is made of it and the answer are in memory at once. */
const BODY_SHARE = 1 / 8

/**
 * Reads `TURBOLIFT_LISTEN` (socket path, port, or host:port),
 * `TURBOLIFT_BUILD`, `TURBOLIFT_WORKER_ID`, `TURBOLIFT_CONCURRENCY` (default: cores), `TURBOLIFT_MAX_BODY_BYTES`,
 * `TURBOLIFT_TIMEOUT_MS`,
 * `TURBOLIFT_TLS_CERT` and `TURBOLIFT_TLS_KEY` (files), `TURBOLIFT_LIFELINE` (`stdin` or `own`), `TURBOLIFT_RUN_FOLDER`, `TURBOLIFT_EXECUTOR_MEMORY_MB`.
 * @throws Error that names the variable
 */
export function parseSettings(environment: Environment): WorkerSettings {
  const concurrency = readNumber(environment, 'TURBOLIFT_CONCURRENCY') ?? availableParallelism()
  const maxBytes = readNumber(environment, 'TURBOLIFT_MAX_BODY_BYTES')
  return {
    listen: parseListen(readRequired(environment, 'TURBOLIFT_LISTEN')),
    build: readRequired(environment, 'TURBOLIFT_BUILD'),
    workerId: environment['TURBOLIFT_WORKER_ID'] ?? `worker-${process.pid}`,
    concurrency,
    maxFrameBytes: maxBytes ?? DEFAULT_MAX_FRAME_BYTES,
    maxBodyBytes: maxBytes ?? shareOfMemory(),
    timeoutMs: readNumber(environment, 'TURBOLIFT_TIMEOUT_MS') ?? 0,
    tls: readTls(environment),
    lifeline: parseLifeline(environment['TURBOLIFT_LIFELINE']),
    runFolder: environment['TURBOLIFT_RUN_FOLDER'],
    heapMegabytes: readNumber(environment, 'TURBOLIFT_EXECUTOR_MEMORY_MB') ?? shareOfContainer(concurrency),
  }
}

/** Ours, which nobody else may see: a program that a lifted function starts would take them for its own. */
export function takeSettings(environment: NodeJS.ProcessEnv): Environment {
  const taken = { ...environment }
  for (const name of OWN_NAMES) delete environment[name]
  return taken
}

function parseLifeline(text: string | undefined): Lifeline | undefined {
  return text === 'stdin' || text === 'own' ? text : undefined
}

function readRequired(environment: Environment, name: string): string {
  const value = environment[name]
  if (value === undefined || value === '') throw new Error(`The environment variable ${name} is not set.`)
  return value
}

function readNumber(environment: Environment, name: string): number | undefined {
  const text = environment[name]
  if (text === undefined || text === '') return undefined
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`${name} must be a whole number from 1, not "${text}".`)
  return value
}

function parseListen(text: string): ListenAddress {
  const [, host, port] = /^(?:(.*):)?(\d{1,5})$/.exec(text) ?? []
  if (port === undefined) return { kind: 'socket', path: text }
  return { kind: 'port', port: Number(port), host: host?.replace(/^\[(.*)\]$/, '$1') }
}

function readTls(environment: Environment): WorkerSettings['tls'] {
  const [certificate, key] = [environment['TURBOLIFT_TLS_CERT'], environment['TURBOLIFT_TLS_KEY']]
  if (certificate === undefined && key === undefined) return undefined
  if (certificate === undefined || key === undefined) {
    throw new Error('TURBOLIFT_TLS_CERT and TURBOLIFT_TLS_KEY must be set together.')
  }
  return { certificate: readFileSync(certificate), key: readFileSync(key) }
}

function shareOfMemory(): number {
  return Math.min(DEFAULT_MAX_FRAME_BYTES, Math.floor((readContainerLimit() ?? totalmem()) * BODY_SHARE))
}

/**
 * In a container with a memory limit, executors share what there is, so that a full heap ends one of them with a
 * reason, before the kernel ends them all without one.
 */
function shareOfContainer(concurrency: number): number | undefined {
  const limit = readContainerLimit()
  if (limit === undefined) return undefined
  const megabytes = limit / MEGABYTE - RESERVED_MEGABYTES
  return Math.max(32, Math.floor(megabytes / concurrency))
}

function readContainerLimit(): number | undefined {
  const limit = process.constrainedMemory()
  return limit === undefined || limit === 0 || limit > Number.MAX_SAFE_INTEGER ? undefined : limit
}
