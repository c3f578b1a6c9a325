import type { Duplex } from 'node:stream'

import type { PendingCall } from '../pool/pending-call.ts'
import type { ExecutorPool } from '../pool/pool.ts'
import { toFrame } from '../wire/frame-batch.ts'
import { createFrameDecoder } from '../wire/frame-decoder.ts'
import { createFrameWriter } from '../wire/frame-writer.ts'
import type { FrameWriter } from '../wire/frame-writer.ts'
import { FRAME_TYPE, FrameError, isAnswer } from '../wire/frame.ts'
import type { Frame } from '../wire/frame.ts'
import { readCancelGrace } from '../wire/message-codec.ts'
import type { Hello, Log, WorkerMessage } from '../wire/messages.ts'
import { encodeError } from '../wire/values.ts'

/** A program that reads its answers this late gets no more of its calls read. */
const MAX_PENDING_BYTES = 4 * 1024 * 1024
/** How long calls may go on whose program is gone. */
const ORPHAN_GRACE_MS = 1000

export interface ConnectionOptions {
  readonly pool: ExecutorPool
  readonly hello: Hello
  /** The program asks the worker to end. */
  readonly onDrain: () => void
  readonly onClose: () => void
  /** A fault of the worker's own, which ends the connection. */
  readonly onFault: (error: unknown) => void
}

/** A program that speaks frames with this worker. */
export interface Connection {
  send(message: WorkerMessage): void
  /** Sends what was printed outside of calls; dropped while the program is slow. */
  sendLog(log: Log): void
  close(): void
}

export function serveConnection(socket: Duplex, head: Buffer, options: ConnectionOptions): Connection {
  const connection = new ProgramConnection(socket, options)
  if (head.length > 0) connection.receive(head)
  return connection
}

class ProgramConnection implements Connection {
  readonly #socket: Duplex
  readonly #options: ConnectionOptions
  readonly #writer: FrameWriter
  readonly #decoder
  readonly #calls = new Map<number, PendingCall>()
  #droppedLines = 0

  constructor(socket: Duplex, options: ConnectionOptions) {
    this.#socket = socket
    this.#options = options
    const { maxFrameBytes } = options.hello
    this.#writer = createFrameWriter(socket, maxFrameBytes)
    this.#decoder = createFrameDecoder({ maxFrameBytes, onFrame: (frame) => this.#route(frame) })
    socket.on('data', (chunk: Buffer) => this.receive(chunk))
    socket.on('error', () => socket.destroy())
    socket.on('end', () => socket.end())
    socket.on('close', () => this.#abandon())
  }

  receive(chunk: Buffer): void {
    try {
      this.#decoder.push(chunk)
    } catch (error) {
      if (!(error instanceof FrameError)) this.#options.onFault(error)
      // Whatever follows cannot be told apart any more; the program sees the close and calls again elsewhere.
      this.#socket.destroy()
      return
    }
    if (this.#writer.isFull && this.#writer.pendingBytes > MAX_PENDING_BYTES) this.#pause()
  }

  send(message: WorkerMessage): void {
    this.#writer.send(message)
  }

  sendLog(log: Log): void {
    if (this.#canLog()) this.send({ kind: 'log', id: 0, log })
  }

  close(): void {
    this.#writer.flush()
    this.#socket.end()
  }

  #route(frame: Frame): void {
    const call = this.#calls.get(frame.id)
    switch (frame.type) {
      case FRAME_TYPE.call:
        if (call !== undefined) throw new FrameError('FRAME_MALFORMED', `Call ${frame.id} is in flight already.`)
        this.#submit(frame)
        break
      case FRAME_TYPE.cancel:
        if (call !== undefined) this.#options.pool.cancel(call, frame, readCancelGrace(frame))
        break
      case FRAME_TYPE.recall:
        if (call !== undefined) this.#options.pool.recall(call)
        break
      case FRAME_TYPE.credit:
        if (call !== undefined) this.#options.pool.allow(call, frame)
        break
      case FRAME_TYPE.return:
        if (call !== undefined) this.#options.pool.return(call, frame)
        break
      case FRAME_TYPE.stream:
        if (call !== undefined) this.#options.pool.forward(call, frame)
        break
      case FRAME_TYPE.share:
        this.#options.pool.share(frame)
        break
      case FRAME_TYPE.unshare:
        this.#options.pool.unshare(frame)
        break
      case FRAME_TYPE.ping:
        this.send({ kind: 'pong', id: frame.id })
        break
      case FRAME_TYPE.pong:
        break
      case FRAME_TYPE.drain:
        this.#options.onDrain()
        break
      default:
        throw new FrameError('FRAME_MALFORMED', `A program does not send frames of type ${frame.type}.`)
    }
  }

  #submit(frame: Frame): void {
    const { id } = frame
    let isAnswered = false
    const call = this.#options.pool.submit(frame, {
      onFrame: (answer) => this.#answer(id, answer),
      onLost: (lost) => {
        isAnswered = true
        this.#answer(id, toFrame({ kind: 'lost', id, lost }))
      },
    })
    if (!isAnswered) this.#calls.set(id, call)
  }

  #answer(id: number, answer: Frame): void {
    if (isAnswer(answer.type)) this.#calls.delete(id)
    try {
      if (answer.type !== FRAME_TYPE.log || this.#canLog()) this.#writer.sendFrame(answer, id)
    } catch (error) {
      // Its program would wait for it for ever: it sees the close, and calls again.
      this.#options.onFault(error)
      this.#socket.destroy()
    }
  }

  #pause(): void {
    this.#socket.pause()
    void this.#writer.whenDrained().then(() => this.#socket.resume())
  }

  #canLog(): boolean {
    if (this.#writer.pendingBytes > MAX_PENDING_BYTES) {
      this.#droppedLines += 1
      return false
    }
    if (this.#droppedLines > 0) {
      const log = { stream: 'stderr', executor: 0, text: '', dropped: this.#droppedLines } as const
      this.send({ kind: 'log', id: 0, log })
      this.#droppedLines = 0
    }
    return true
  }

  /** The program is gone: nobody waits for its calls any more. */
  #abandon(): void {
    const value = encodeError(new Error('The program that called has closed its connection.'))
    const frame = toFrame({ kind: 'cancel', id: 0, graceMs: ORPHAN_GRACE_MS, value })
    for (const call of this.#calls.values()) this.#options.pool.cancel(call, { ...frame }, ORPHAN_GRACE_MS)
    this.#calls.clear()
    this.#options.onClose()
  }
}
