import { once } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { inspect } from 'node:util'

import { ExecutorPool } from '../pool/pool.ts'
import type { WorkerSettings } from '../settings.ts'
import type { Hello, Log } from '../wire/messages.ts'
import { decodeError } from '../wire/values.ts'
import { BodyBudget } from './body.ts'
import { serveConnection } from './connection.ts'
import type { Connection } from './connection.ts'
import { createListener } from './listener.ts'
import { createPort } from './port.ts'
import type { WorkerStatus } from './status.ts'
import { Strangers } from './strangers.ts'
import { createTokenCheck } from './token.ts'
import type { TokenCheck } from './token.ts'
import { acceptUpgrade } from './upgrade.ts'

/** What a worker runs, and who may call it. */
export interface WorkerPrograms {
  readonly token: string
  /** URL of executor.js. */
  readonly executor: URL
  /** URL of functions.js. */
  readonly functions: URL
}

/** The whole of a worker: its port, its programs' connections and its executors. */
export interface WorkerServer {
  /** Where it listens: a path or `host:port`. */
  readonly address: string
  /** Finishes the calls in flight, takes no more, and closes everything. */
  drain(): Promise<void>
}

export async function startWorkerServer(settings: WorkerSettings, programs: WorkerPrograms): Promise<WorkerServer> {
  const server = new PortServer(settings, programs)
  await server.listen()
  return server
}

class PortServer implements WorkerServer {
  readonly #settings: WorkerSettings
  readonly #pool: ExecutorPool
  readonly #server: Server
  readonly #isAllowed: TokenCheck
  readonly #connections = new Set<Connection>()
  readonly #strangers = new Strangers()
  #status: WorkerStatus = { kind: 'starting' }
  #drained: Promise<void> | undefined

  constructor(settings: WorkerSettings, programs: WorkerPrograms) {
    this.#settings = settings
    this.#isAllowed = createTokenCheck(programs.token)
    this.#pool = this.#startPool(programs)
    this.#server = this.#createServer()
  }

  async listen(): Promise<void> {
    const { listen } = this.#settings
    if (listen.kind === 'socket') this.#server.listen(listen.path)
    else this.#server.listen(listen.port, listen.host)
    await once(this.#server, 'listening')
  }

  get address(): string {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? `${address.address}:${address.port}` : String(address)
  }

  drain(): Promise<void> {
    this.#drained ??= this.#drain()
    return this.#drained
  }

  async #drain(): Promise<void> {
    this.#status = { kind: 'draining' }
    for (const connection of this.#connections) connection.send({ kind: 'draining', id: 0 })
    await this.#pool.drain()
    for (const connection of this.#connections) connection.close()
    this.#server.close()
    this.#server.closeIdleConnections()
  }

  #createServer(): Server {
    const { tls, maxBodyBytes, timeoutMs } = this.#settings
    const readStatus = (): WorkerStatus => this.#status
    const listener = createListener({
      services: { pool: this.#pool, timeoutMs, onLog: (log) => this.#log(log) },
      isAllowed: this.#isAllowed,
      bodies: new BodyBudget(maxBodyBytes),
      onKnown: (socket) => this.#strangers.remove(socket),
      onFault: (error) => this.#report(error),
      get status() {
        return readStatus()
      },
    })
    return createPort({
      tls,
      listener,
      strangers: this.#strangers,
      onUpgrade: (request, socket, head) => this.#upgrade(request, socket, head),
      onFault: (error) => this.#report(error),
    })
  }

  #startPool({ executor, functions }: WorkerPrograms): ExecutorPool {
    const { concurrency, workerId, heapMegabytes } = this.#settings
    return new ExecutorPool({
      program: executor,
      functions: functions.href,
      size: concurrency,
      workerId,
      heapMegabytes,
      events: {
        onReady: (ids) => {
          this.#status = { kind: 'ready', ids }
          for (const connection of this.#connections) this.#greet(connection)
        },
        onFailed: (error) => {
          const cause = decodeError(error)
          this.#status = { kind: 'failed', error, message: cause instanceof Error ? cause.message : String(cause) }
          for (const connection of this.#connections) this.#greet(connection)
        },
        onLog: (log) => this.#log(log),
      },
    })
  }

  /** A fault of the worker's own ends one request or one connection, and is seen by whoever reads the output. */
  #report(error: unknown): void {
    const text = `The worker failed at a request, and goes on. ${inspect(error)}`
    this.#log({ stream: 'stderr', executor: 0, text, dropped: 0 })
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const isDraining = this.#status.kind === 'draining'
    const rules = { isAllowed: this.#isAllowed, build: this.#settings.build, isDraining }
    if (!acceptUpgrade(request, socket, rules)) return
    this.#strangers.remove(socket)
    const connection = serveConnection(socket, head, {
      pool: this.#pool,
      hello: this.#toHello(),
      onDrain: () => void process.kill(process.pid, 'SIGTERM'),
      onClose: () => this.#connections.delete(connection),
      onFault: (error) => this.#report(error),
    })
    this.#connections.add(connection)
    this.#greet(connection)
  }

  /** Says that calls may come, or that they never may; nothing while that is open. */
  #greet(connection: Connection): void {
    const status = this.#status
    if (status.kind === 'ready') connection.send({ kind: 'hello', id: 0, hello: this.#toHello() })
    if (status.kind === 'failed') connection.send({ kind: 'failed', id: 0, value: status.error })
  }

  #toHello(): Hello {
    const { workerId, build, concurrency, maxFrameBytes } = this.#settings
    return { workerId, build, slots: concurrency, pid: process.pid, maxFrameBytes }
  }

  /** Output outside of calls goes to one program, or, where there is none, to the output of the process. */
  #log(log: Log): void {
    const [connection] = this.#connections
    if (connection !== undefined) connection.sendLog(log)
    else {
      const leftOut = log.dropped === 0 ? '' : `(${log.dropped} lines left out)\n`
      process[log.stream].write(leftOut + (log.text === '' ? '' : `${log.text}\n`))
    }
  }
}
