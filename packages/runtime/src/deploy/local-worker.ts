import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createConnection } from 'node:net'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { Writable } from 'node:stream'

import { hasCode } from '@turbolift/worker-base/folders'

import { clearTimeout, setTimeout, wallClock } from '@turbolift/worker-base/clock'

import { workerExited, workerStartTimeout } from './worker-errors.ts'
import type { LiftError } from '../errors.ts'
import { toWorkerFlags, withoutInspector } from './node-options.ts'
import type { WorkerAddress } from './platform.ts'
import { forwardOutput } from './worker-output.ts'

const CONNECT_AGAIN_MS = 5
const LAST_LINES = 20
const PIPES_CLOSE_MS = 500
const LEADS_GROUP = process.platform !== 'win32'
/**
 * Standard input is empty, for processes that user code starts. The fourth is the lifeline: the system closes it when
 * the program dies, however it dies. The last two are the program's own output: who waits for its end, as a shell does
 * with a pipe, then also waits until the workers of a killed program have tidied up.
 */
const STDIO = ['ignore', 'pipe', 'pipe', 'pipe', ...(LEADS_GROUP ? [1, 2] : [])] as const

export interface LocalWorkerOptions {
  readonly id: string
  /** Folder with `worker.js`. */
  readonly codeFolder: string
  /** Folder for the socket; removed by the worker itself when the program was killed. */
  readonly runFolder: string
  readonly build: string
  readonly concurrency: number
  /** Longest run time of calls that come by HTTP; 0: no limit. */
  readonly timeoutMs: number
  /** `undefined`: what the worker prints is not shown. */
  readonly output: { readonly label: string | undefined } | undefined
}

/** One worker process. It ends when it is told to, and when the program that started it is gone. */
export interface LocalWorker {
  readonly id: string
  /** Resolves when the worker answers. Rejects with `WORKER_EXITED` or `WORKER_START_TIMEOUT`. */
  ready(options: { readonly timeoutMs: number }): Promise<WorkerAddress>
  /** Resolves with why, when the process is gone and all that it printed is passed on. */
  readonly gone: Promise<LiftError>
  /** Lets it finish and close what it opened, at most this long; resolves when it is gone. */
  stop(options: { readonly graceMs: number }): Promise<void>
  /** Ends it at once. */
  kill(): void
}

export function startLocalWorker(options: LocalWorkerOptions): LocalWorker {
  return new WorkerProcess(options)
}

class WorkerProcess implements LocalWorker {
  readonly id: string
  readonly gone: Promise<LiftError>
  readonly #child: ChildProcess
  readonly #socketPath: string
  readonly #token: string = randomBytes(32).toString('base64url')
  readonly #lastLines: string[] = []
  #isGone = false
  #firstSocket: Socket | undefined

  constructor(options: LocalWorkerOptions) {
    this.id = options.id
    this.#socketPath = toSocketPath(options)
    this.#child = spawn(process.execPath, toCommandLine(options), {
      stdio: [...STDIO],
      env: { ...toWorkerEnvironment(), ...this.#environment(options) },
      // It leads a group of its own, in which the processes are that user code starts: they end with it.
      detached: LEADS_GROUP,
      windowsHide: true,
    })
    // Not by the environment, where code of the worker could read it for ever. A worker that is gone already says so itself.
    const lifeline = this.#child.stdio[3]
    if (lifeline instanceof Writable) lifeline.on('error', () => undefined).write(`${this.#token}\n`)
    this.#forward(options.output)
    this.gone = this.#watchExit()
    unrefAll(this.#child)
  }

  async ready({ timeoutMs }: { readonly timeoutMs: number }): Promise<WorkerAddress> {
    const deadline = wallClock() + timeoutMs
    const gone = this.gone.then((error) => {
      throw error
    })
    // Also watched by the deployment; here it only ends the wait.
    gone.catch(() => undefined)
    this.#firstSocket = await Promise.race([this.#connectUntil(deadline), gone])
    return { id: this.id, token: this.#token, dial: () => this.#dial() }
  }

  async stop({ graceMs }: { readonly graceMs: number }): Promise<void> {
    if (this.#isGone) return
    // What waits for the end must hold the event loop until then.
    this.#child.ref()
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.kill(), graceMs)
    await this.gone
    clearTimeout(timer)
  }

  kill(): void {
    if (!LEADS_GROUP) this.#child.kill('SIGKILL')
    else if (!this.#isGone) this.#killGroup()
  }

  /** Also what a worker has left that has ended by itself. */
  #killGroup(): void {
    if (this.#child.pid === undefined) return
    try {
      process.kill(-this.#child.pid, 'SIGKILL')
    } catch (error) {
      // Nobody is in it any more, or who is has become another user: then it is theirs.
      if (!hasCode(error, 'ESRCH', 'EPERM')) throw error
    }
  }

  #environment(options: LocalWorkerOptions): NodeJS.ProcessEnv {
    return {
      TURBOLIFT_LISTEN: this.#socketPath,
      // Of a program that runs in a worker itself.
      TURBOLIFT_TOKEN: undefined,
      TURBOLIFT_TOKEN_FILE: undefined,
      TURBOLIFT_BUILD: options.build,
      TURBOLIFT_CONCURRENCY: String(options.concurrency),
      TURBOLIFT_TIMEOUT_MS: options.timeoutMs === 0 ? undefined : String(Math.ceil(options.timeoutMs)),
      TURBOLIFT_WORKER_ID: options.id,
      TURBOLIFT_LIFELINE: 'own',
      TURBOLIFT_RUN_FOLDER: options.runFolder,
    }
  }

  #forward(output: LocalWorkerOptions['output']): void {
    const { stdout, stderr } = this.#child
    if (stdout !== null) forwardOutput(stdout, output && process.stdout, { label: output?.label })
    if (stderr === null) return
    const onLine = (line: string) => {
      this.#lastLines.push(line)
      if (this.#lastLines.length > LAST_LINES) this.#lastLines.shift()
    }
    forwardOutput(stderr, output && process.stderr, { label: output?.label, onLine })
  }

  async #watchExit(): Promise<LiftError> {
    // `error`: the process could not be started, or not be signalled; only the first ends it.
    const failed = new Promise<Error>((resolve) => {
      this.#child.on('error', (error) => this.#child.pid === undefined && resolve(error))
    })
    this.#child.once('exit', () => LEADS_GROUP && this.#killGroup())
    const heard = (event: 'exit' | 'close') => new Promise((resolve) => this.#child.once(event, resolve))
    const closed = heard('close')
    const exited = heard('exit').then(async () => {
      // What it printed comes first; but a process that it left behind may hold the pipes open for ever.
      let timer: NodeJS.Timeout | undefined
      const waited = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, PIPES_CLOSE_MS)
      })
      await Promise.race([closed, waited])
      clearTimeout(timer)
    })
    const cause = await Promise.race([failed, exited])
    this.#isGone = true
    this.#firstSocket?.destroy()
    const { exitCode, signalCode } = this.#child
    return workerExited({ id: this.id, exitCode, signal: signalCode, lastLines: this.#lastLines }, cause ?? undefined)
  }

  async #connectUntil(deadline: number): Promise<Socket> {
    for (;;) {
      const socket = createConnection(this.#socketPath)
      const failure = await connected(socket)
      if (failure === undefined) return socket
      if (wallClock() > deadline) throw workerStartTimeout(this.id, failure)
      if (this.#isGone) throw await this.gone
      await new Promise<void>((resolve) => setTimeout(resolve, CONNECT_AGAIN_MS).unref())
    }
  }

  async #dial(): Promise<Socket> {
    const first = this.#firstSocket
    this.#firstSocket = undefined
    if (first !== undefined && !first.destroyed) return first
    const socket = createConnection(this.#socketPath)
    const failure = await connected(socket)
    if (failure !== undefined) throw failure
    return socket
  }
}

/** Behind its own two words come those of the program: user code sees them as its `process.argv`. */
function toCommandLine({ codeFolder }: LocalWorkerOptions): string[] {
  const title = process.title === process.argv0 ? [] : [`--title=${process.title}`]
  const flags = toWorkerFlags(process.execArgv)
  return [...flags, ...title, join(codeFolder, 'worker.js'), ...process.argv.slice(1)]
}

function toWorkerEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: nodeOptions, ...rest } = process.env
  return nodeOptions === undefined ? rest : { ...rest, NODE_OPTIONS: withoutInspector(nodeOptions) }
}

async function connected(socket: Socket): Promise<Error | undefined> {
  socket.unref()
  return new Promise((resolve) => {
    // For good: a worker that ends before it takes the connection resets it, when nobody else listens yet.
    socket.on('error', resolve)
    socket.once('connect', () => resolve(undefined))
  })
}

// Not named by the pool, whose name may be long or hold a slash: a path has 103 bytes at most.
function toSocketPath({ runFolder }: LocalWorkerOptions): string {
  const name = randomBytes(6).toString('hex')
  return process.platform === 'win32' ? `\\\\.\\pipe\\turbolift-${name}` : join(runFolder, `${name}.sock`)
}

// A worker never keeps the program from ending; the dispatcher does, while calls are pending.
function unrefAll(child: ChildProcess): void {
  child.unref()
  for (const stream of child.stdio) {
    if (stream !== null && stream !== undefined && 'unref' in stream && typeof stream.unref === 'function')
      stream.unref()
  }
}
