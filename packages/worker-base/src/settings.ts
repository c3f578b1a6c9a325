import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

import { DEFAULT_MAX_FRAME_BYTES } from './wire/frame.ts'

/** What the environment of a worker says. */
export interface WorkerSettings {
  readonly listen: ListenAddress
  readonly token: string
  /** Hash of the manifest: connections of another build are refused. */
  readonly build: string
  readonly workerId: string
  /** Calls at a time, each on an executor of its own. */
  readonly concurrency: number
  readonly maxBodyBytes: number
  /** TLS for the whole port. */
  readonly tls: { readonly certificate: Buffer; readonly key: Buffer } | undefined
  /** Exit when standard input ends: the parent is gone. */
  readonly hasLifeline: boolean
  /** Folder of the run, which goes with the program that is behind the lifeline. */
  readonly runFolder: string | undefined
  /** Heap limit of each executor. `undefined`: Node's own. */
  readonly heapMegabytes: number | undefined
}

export type ListenAddress =
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'port'; readonly port: number; readonly host: string | undefined }

type Environment = Readonly<Record<string, string | undefined>>

/** What a container may use besides the heaps of its executors: code, stacks, buffers, the talking thread. */
const RESERVED_MEGABYTES = 96
const MEGABYTE = 1024 * 1024

/**
 * Reads `TURBOLIFT_LISTEN` (socket path, port, or host:port), `TURBOLIFT_TOKEN` or `TURBOLIFT_TOKEN_FILE`,
 * `TURBOLIFT_BUILD`, `TURBOLIFT_WORKER_ID`, `TURBOLIFT_CONCURRENCY` (default: cores), `TURBOLIFT_MAX_BODY_BYTES`,
 * `TURBOLIFT_TLS_CERT` and `TURBOLIFT_TLS_KEY` (files), `TURBOLIFT_LIFELINE=stdin`, `TURBOLIFT_RUN_FOLDER`, `TURBOLIFT_EXECUTOR_MEMORY_MB`.
 * @throws Error that names the variable
 */
export function parseSettings(environment: Environment): WorkerSettings {
  const concurrency = readNumber(environment, 'TURBOLIFT_CONCURRENCY') ?? availableParallelism()
  return {
    listen: parseListen(readRequired(environment, 'TURBOLIFT_LISTEN')),
    token: readToken(environment),
    build: readRequired(environment, 'TURBOLIFT_BUILD'),
    workerId: environment['TURBOLIFT_WORKER_ID'] ?? `worker-${process.pid}`,
    concurrency,
    maxBodyBytes: readNumber(environment, 'TURBOLIFT_MAX_BODY_BYTES') ?? DEFAULT_MAX_FRAME_BYTES,
    tls: readTls(environment),
    hasLifeline: environment['TURBOLIFT_LIFELINE'] === 'stdin',
    runFolder: environment['TURBOLIFT_RUN_FOLDER'],
    heapMegabytes: readNumber(environment, 'TURBOLIFT_EXECUTOR_MEMORY_MB') ?? shareOfContainer(concurrency),
  }
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

function readToken(environment: Environment): string {
  const file = environment['TURBOLIFT_TOKEN_FILE']
  const token = file === undefined ? readRequired(environment, 'TURBOLIFT_TOKEN') : readFileSync(file, 'utf8').trim()
  if (token === '') throw new Error(`The token file ${file} is empty.`)
  return token
}

function readTls(environment: Environment): WorkerSettings['tls'] {
  const [certificate, key] = [environment['TURBOLIFT_TLS_CERT'], environment['TURBOLIFT_TLS_KEY']]
  if (certificate === undefined && key === undefined) return undefined
  if (certificate === undefined || key === undefined) {
    throw new Error('TURBOLIFT_TLS_CERT and TURBOLIFT_TLS_KEY must be set together.')
  }
  return { certificate: readFileSync(certificate), key: readFileSync(key) }
}

/**
 * In a container with a memory limit, executors share what there is, so that a full heap ends one of them with a
 * reason, before the kernel ends them all without one.
 */
function shareOfContainer(concurrency: number): number | undefined {
  const limit = process.constrainedMemory()
  if (limit === undefined || limit === 0 || limit > Number.MAX_SAFE_INTEGER) return undefined
  const megabytes = limit / MEGABYTE - RESERVED_MEGABYTES
  return Math.max(32, Math.floor(megabytes / concurrency))
}
