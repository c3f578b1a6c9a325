import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { timeoutSignal } from '@turbolift/worker-base/clock'
import { createTemporaryFolder } from '@turbolift/worker-base/folders'

import { digestMissing, toBuildError } from './build-failure.ts'
import { BuildLog } from './build-log.ts'
import { DEFAULT_BUILD_TIMEOUT_MS } from './build-pod.ts'
import { type BuildTarget, toKanikoArguments } from './kaniko-arguments.ts'
import type { KanikoInput } from './options.ts'

/** Where Kaniko's images have the program. */
export const EXECUTOR = '/kaniko/executor'

export interface ExecutorRequest {
  readonly target: Omit<BuildTarget, 'certificates'>
  readonly options: KanikoInput
  /** Gzip of the context's archive. */
  readonly context: Buffer
  /** Docker configuration with the credentials for pushing; default that of the surroundings. */
  readonly dockerConfig: string | undefined
  /** Certificates of a private authority, PEM. */
  readonly ca: string | undefined
  readonly onLog: ((line: string) => void) | undefined
  readonly signal: AbortSignal
}

/** Whether this program runs in a container that can build by itself. */
export function hasExecutor(): boolean {
  return existsSync(EXECUTOR)
}

/**
 * Builds with the Kaniko executor of this very container, as a child process. The executor unpacks the base image
 * over the container's root: what the program still reads from there must be in the base image as well.
 * @returns the digest of the image's manifest
 * @throws BuildError with the reason
 */
export async function buildWithExecutor(request: ExecutorRequest): Promise<string> {
  using temporary = createTemporaryFolder()
  const folder = temporary.path
  const digestFile = join(folder, 'digest')
  const certificates = request.ca === undefined ? undefined : join(folder, 'ca.crt')
  if (certificates !== undefined) await writeFile(certificates, request.ca ?? '')
  if (request.dockerConfig !== undefined)
    await writeFile(join(folder, 'config.json'), request.dockerConfig, { mode: 0o600 })
  const target = { ...request.target, certificates }
  await runExecutor(request, [...toKanikoArguments(target, request.options, digestFile), '--force'], folder)
  const digest = await readFile(digestFile, 'utf8')
  if (!/^sha256:[0-9a-f]{64}$/.test(digest.trim())) throw digestMissing(digest)
  return digest.trim()
}

async function runExecutor(request: ExecutorRequest, args: readonly string[], folder: string): Promise<void> {
  const { context, onLog, dockerConfig, options, signal } = request
  const timeoutMs = options.timeoutMs ?? DEFAULT_BUILD_TIMEOUT_MS
  const timeout = timeoutSignal(timeoutMs)
  const child = spawn(EXECUTOR, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    signal: AbortSignal.any([signal, timeout]),
    env: dockerConfig === undefined ? process.env : { ...process.env, DOCKER_CONFIG: folder },
  })
  const log = new BuildLog(onLog)
  child.stdout.setEncoding('utf8').on('data', (text: string) => log.write(text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => log.write(text))
  // An executor that ends before it read all is told of by its exit code.
  child.stdin.on('error', () => child.stdin.destroy())
  child.stdin.end(context)
  const { code, killed } = await new Promise<{ code: number | null; killed: string | null }>((resolve, reject) => {
    child.once('error', (error) =>
      error.name === 'AbortError' ? resolve({ code: null, killed: 'SIGTERM' }) : reject(error),
    )
    child.once('close', (exitCode, by) => resolve({ code: exitCode, killed: by }))
  })
  log.end()
  signal.throwIfAborted()
  if (code === 0) return
  const reason = timeout.aborted ? 'DeadlineExceeded' : killed === 'SIGKILL' ? 'OOMKilled' : 'Error'
  throw toBuildError({ exitCode: code ?? 1, reason, message: '' }, log, timeoutMs)
}
