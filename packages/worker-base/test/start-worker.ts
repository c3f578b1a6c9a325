import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import {
  createFrameDecoder,
  createFrameWriter,
  encodeArguments,
  encodeError,
  parseMessage,
  performHandshake,
} from '../src/wire.ts'
import type { CallMessage, FrameWriter, Message } from '../src/wire.ts'

const TOKEN = 'test-token'
const BUILD = 'test-build'

export interface WorkerOptions {
  /** Text of functions.js; default: the fixture. */
  readonly functions?: string
  readonly environment?: Readonly<Record<string, string>>
}

/** A real worker process in a folder of its own. */
export class TestWorker implements AsyncDisposable {
  readonly folder: string
  readonly socket: string
  readonly child: ChildProcess
  readonly output: string[] = []
  readonly exited: Promise<number | null>
  readonly #listening: Promise<string>

  constructor({ functions, environment }: WorkerOptions = {}) {
    this.folder = createWorkerFolder(functions)
    this.socket = join(this.folder, 'worker.sock')
    this.child = spawn(process.execPath, [join(this.folder, 'worker.js')], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        TURBOLIFT_LISTEN: this.socket,
        TURBOLIFT_TOKEN: TOKEN,
        TURBOLIFT_BUILD: BUILD,
        TURBOLIFT_WORKER_ID: 'w1',
        TURBOLIFT_CONCURRENCY: '1',
        ...environment,
      },
    })
    this.exited = once(this.child, 'exit').then(([code]: unknown[]) => (typeof code === 'number' ? code : null))
    this.#listening = new Promise((resolve) => {
      for (const stream of [this.child.stdout, this.child.stderr]) {
        if (stream === null) continue
        createInterface(stream).on('line', (line) => {
          this.output.push(line)
          if (line.includes(' listens on ')) resolve(line.split(' listens on ')[1] ?? '')
        })
      }
    })
  }

  /** Resolves when it listens on a port, to where. */
  listening(): Promise<string> {
    return Promise.race([this.#listening, this.#died()])
  }

  async dial(): Promise<Socket> {
    const socket = await Promise.race([connectUntilThere(this.socket), this.#died()])
    return socket
  }

  async #died(): Promise<never> {
    await this.exited
    throw new Error(`The worker ended: ${this.output.join('\n')}`)
  }

  async connect(handshake: { token?: string; build?: string } = {}): Promise<TestClient> {
    const socket = await this.dial()
    await performHandshake(socket, { token: TOKEN, build: BUILD, ...handshake })
    return new TestClient(socket)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL')
    await this.exited
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** A worker makes its socket when it is ready to listen; until then dialling fails. */
async function connectUntilThere(path: string): Promise<Socket> {
  for (;;) {
    const socket = connect(path)
    const isConnected = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    if (isConnected) return socket
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

function createWorkerFolder(functions: string | undefined): string {
  const folder = mkdtempSync(join(tmpdir(), 'turbolift-worker-'))
  for (const program of ['worker.js', 'executor.js']) {
    const built = fileURLToPath(new URL(`../dist/${program}`, import.meta.url))
    if (!existsSync(built)) throw new Error(`${program} is not built: run "npm run build" first.`)
    copyFileSync(built, join(folder, program))
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  if (functions !== undefined) writeFileSync(join(folder, 'functions.js'), functions)
  else copyFileSync(new URL('functions.fixture.mjs', import.meta.url), join(folder, 'functions.js'))
  return folder
}

type Kind = Message['kind']

/** A program's end of a connection. */
export class TestClient {
  readonly socket: Socket
  readonly writer: FrameWriter
  readonly received: Message[] = []
  readonly closed: Promise<void>
  #listeners: (() => void)[] = []
  #lastId = 0

  constructor(socket: Socket) {
    this.socket = socket
    this.writer = createFrameWriter(socket)
    this.closed = once(socket, 'close').then(() => undefined)
    const decoder = createFrameDecoder({ onFrame: (frame) => this.received.push(parseMessage(frame)) })
    socket.on('data', (chunk: Buffer) => {
      decoder.push(chunk)
      for (const listener of this.#listeners) listener()
    })
    socket.resume()
  }

  /** Sends a call and gives its id. */
  async start(
    name: string,
    args: readonly unknown[],
    more: Partial<CallMessage> & { list?: unknown[] } = {},
  ): Promise<number> {
    const id = (this.#lastId += 1)
    const { list = [], ...fields } = more
    const value = await encodeArguments(list, args)
    const liftId = `src/main.ts#${name}`
    const call = {
      kind: 'call',
      id,
      liftId,
      captures: list.length,
      attempt: 1,
      timeoutMs: 0,
      results: 'items',
    } as const
    this.writer.send({ ...call, value, ...fields })
    return id
  }

  /** Sends a call and waits for its answer. */
  async call(
    name: string,
    args: readonly unknown[],
    more: Partial<CallMessage> & { list?: unknown[] } = {},
  ): Promise<Message> {
    return this.answer(await this.start(name, args, more))
  }

  cancel(id: number, graceMs: number): void {
    this.writer.send({ kind: 'cancel', id, graceMs, value: encodeError(new Error('enough')) })
  }

  answer(id: number): Promise<Message> {
    return this.next((message) => message.id === id && ['result', 'error', 'end', 'lost'].includes(message.kind))
  }

  kind(kind: Kind): Promise<Message> {
    return this.next((message) => message.kind === kind)
  }

  /** The first message that fits, among those that came or will come. */
  next(fits: (message: Message) => boolean): Promise<Message> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = this.received.find(fits)
        if (found === undefined) return
        this.#listeners = this.#listeners.filter((listener) => listener !== look)
        resolve(found)
      }
      this.#listeners.push(look)
      look()
      void this.closed.then(() => reject(new Error('The worker closed the connection.')))
    })
  }

  logs(): string[] {
    return this.received.flatMap((message) => (message.kind === 'log' ? message.log.text.split('\n') : []))
  }
}
