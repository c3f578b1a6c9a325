import { createServer as createHttpServer } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'

import { toNodeHandler } from 'h3/node'

import { ExecutorPool } from '../pool/pool.ts'
import type { WorkerSettings } from '../settings.ts'
import type { Hello, Log } from '../wire/messages.ts'
import { decodeError } from '../wire/values.ts'
import { createApp } from './app.ts'
import { serveConnection } from './connection.ts'
import type { Connection } from './connection.ts'
import type { WorkerStatus } from './status.ts'
import { createTokenCheck } from './token.ts'
import type { TokenCheck } from './token.ts'
import { acceptUpgrade } from './upgrade.ts'

export interface WorkerPrograms {
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
  #status: WorkerStatus = { kind: 'starting' }
  #drained: Promise<void> | undefined

  constructor(settings: WorkerSettings, programs: WorkerPrograms) {
    this.#settings = settings
    this.#isAllowed = createTokenCheck(settings.token)
    this.#pool = this.#startPool(programs)
    this.#server = this.#createServer()
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#upgrade(request, socket, head),
    )
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
    const { tls, maxBodyBytes } = this.#settings
    const readStatus = (): WorkerStatus => this.#status
    const app = createApp({
      services: { pool: this.#pool, onLog: (log) => this.#log(log) },
      isAllowed: this.#isAllowed,
      maxBodyBytes,
      get status() {
        return readStatus()
      },
    })
    const handler = toNodeHandler(app)
    return tls === undefined
      ? createHttpServer(handler)
      : createHttpsServer({ cert: tls.certificate, key: tls.key, ALPNProtocols: ['http/1.1'] }, handler)
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

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const isDraining = this.#status.kind === 'draining'
    const rules = { isAllowed: this.#isAllowed, build: this.#settings.build, isDraining }
    if (!acceptUpgrade(request, socket, rules)) return
    const connection = serveConnection(socket, head, {
      pool: this.#pool,
      hello: this.#toHello(),
      onDrain: () => void process.kill(process.pid, 'SIGTERM'),
      onClose: () => this.#connections.delete(connection),
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
    const { workerId, build, concurrency, maxBodyBytes } = this.#settings
    return { workerId, build, slots: concurrency, pid: process.pid, maxFrameBytes: maxBodyBytes }
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
