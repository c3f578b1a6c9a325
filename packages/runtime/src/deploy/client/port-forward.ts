import { Duplex } from 'node:stream'

import type { WebSocket } from 'ws'

import { portForwardFailed } from './errors.ts'
import type { RequestContext } from './request.ts'
import { openSocket } from './socket.ts'

/** The API server closes connections that send frames of some megabytes. */
const maxFrameBytes = 32 * 1024

export interface PortForwardRequest {
  /** Path of the pod. */
  readonly path: string
  readonly port: number
  readonly signal: AbortSignal
}

/**
 * One TCP connection to a pod's port, carried by a WebSocket of its own, with back-pressure both ways.
 * The signal covers the opening only; destroying the stream closes the connection.
 * @throws ClusterRequestError, DeployError `CLUSTER_UNREACHABLE`, `PORT_FORWARD_FAILED`
 */
export async function forwardPort(
  context: RequestContext,
  { path, port, signal }: PortForwardRequest,
): Promise<Duplex> {
  const channels = new Channels(path, port)
  const socket = await openSocket(context, {
    path: `${path}/portforward`,
    query: { ports: port },
    protocols: ['v4.channel.k8s.io'],
    signal,
    onFrame: (frame) => channels.receive(frame),
  })
  return new ForwardedStream(socket, channels)
}

/** Takes the frames apart: channel 0 is data, channel 1 text of an error; each begins with the port as two bytes. */
class Channels {
  readonly #path: string
  readonly #port: number
  readonly #begun = new Set<number>()
  #waiting: Buffer[] = []
  #onData: ((data: Buffer) => void) | undefined
  #onError: ((error: Error) => void) | undefined
  #failure: Error | undefined

  constructor(path: string, port: number) {
    this.#path = path
    this.#port = port
  }

  receive(frame: Buffer): void {
    const channel = frame[0] ?? 0
    const isFirst = !this.#begun.has(channel)
    this.#begun.add(channel)
    const data = frame.subarray(isFirst ? 3 : 1)
    if (data.length === 0) return
    if (channel === 0) this.#receiveData(data)
    else this.#fail(portForwardFailed(this.#path, this.#port, data.toString('utf8').trim()))
  }

  /** Hands over what came before, then everything that comes. */
  connect(onData: (data: Buffer) => void, onError: (error: Error) => void): void {
    this.#onData = onData
    this.#onError = onError
    for (const data of this.#waiting.splice(0)) onData(data)
    if (this.#failure !== undefined) onError(this.#failure)
  }

  #receiveData(data: Buffer): void {
    if (this.#onData === undefined) this.#waiting.push(data)
    else this.#onData(data)
  }

  #fail(error: Error): void {
    this.#failure = error
    this.#onError?.(error)
  }
}

class ForwardedStream extends Duplex {
  readonly #socket: WebSocket

  constructor(socket: WebSocket, channels: Channels) {
    super({ allowHalfOpen: false })
    this.#socket = socket
    // A pod's refusal may come before anybody had the chance to listen; it is also a close, which everybody sees.
    this.on('error', () => this.destroyed)
    socket.once('close', () => this.push(null))
    channels.connect(
      (data) => {
        if (!this.push(data)) socket.pause()
      },
      (error) => this.destroy(error),
    )
  }

  override _read(): void {
    if (this.#socket.isPaused) this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#sendAll([chunk], done)
  }

  override _writev(chunks: { readonly chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#sendAll(
      chunks.map(({ chunk }) => chunk),
      done,
    )
  }

  // The last frame's callback comes when the kernel has taken all: that is the back-pressure.
  #sendAll(chunks: readonly Buffer[], done: (error?: Error | null) => void): void {
    const frames = chunks.length === 1 ? toFrames(chunks[0] ?? Buffer.alloc(0)) : toFrames(Buffer.concat(chunks))
    const last = frames.pop()
    if (last === undefined) return done()
    for (const frame of frames) this.#socket.send(frame)
    this.#socket.send(last, (error) => done(error ?? null))
  }

  // The protocol cannot end one direction alone, so ending ours closes all once it is flushed.
  override _final(done: (error?: Error | null) => void): void {
    this.#socket.close()
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.terminate()
    done(error)
  }
}

function toFrames(data: Buffer): Buffer[] {
  const frames: Buffer[] = []
  for (let at = 0; at < data.length; at += maxFrameBytes) {
    const part = data.subarray(at, at + maxFrameBytes)
    // Channel 0, then the data.
    const frame = Buffer.allocUnsafe(part.length + 1)
    frame[0] = 0
    part.copy(frame, 1)
    frames.push(frame)
  }
  return frames
}
