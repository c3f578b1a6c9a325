import type { WebSocket } from 'ws'

import { toVisibleText } from '../../visible-text.ts'
import { attachFailed } from './errors.ts'
import type { RequestContext } from './request.ts'
import { openSocket } from './socket.ts'

const maxFrameBytes = 32 * 1024
const stdinChannel = 0
const errorChannel = 3
/** Frame of protocol v5: the named channel has no more data. */
const closeStdin = Buffer.from([255, stdinChannel])

export interface AttachRequest {
  /** Path of the pod. */
  readonly path: string
  readonly container: string
  /** What the container reads from its standard input, which then ends. */
  readonly stdin: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
  readonly signal: AbortSignal
}

/**
 * Writes to the standard input of a running container (`stdin: true`, `stdinOnce: true`) and ends it.
 * Resolves when the API server has taken everything.
 * @throws ClusterRequestError, DeployError `CLUSTER_UNREACHABLE`, `ATTACH_FAILED`
 */
export async function writeStdin(
  context: RequestContext,
  { path, container, stdin, signal }: AttachRequest,
): Promise<void> {
  let failure: Error | undefined
  const socket = await openSocket(context, {
    path: `${path}/attach`,
    query: { container, stdin: true, stdout: false, stderr: false },
    // Servers before 1.30 only know v4, where closing the connection ends the input.
    protocols: ['v5.channel.k8s.io', 'v4.channel.k8s.io'],
    signal,
    onFrame: (frame) => {
      if (frame[0] === errorChannel) failure = toFailure(path, frame.subarray(1).toString('utf8'))
    },
  })
  const abort = () => socket.terminate()
  signal.addEventListener('abort', abort, { once: true })
  try {
    for await (const chunk of stdin) await sendChunk(socket, chunk)
    if (socket.protocol === 'v5.channel.k8s.io') await sendFrame(socket, closeStdin)
    await closed(socket)
  } catch (error) {
    signal.throwIfAborted()
    throw failure ?? attachFailed(path, error)
  } finally {
    signal.removeEventListener('abort', abort)
    socket.terminate()
  }
  if (failure !== undefined) throw failure
}

async function sendChunk(socket: WebSocket, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length; at += maxFrameBytes) {
    const part = chunk.subarray(at, at + maxFrameBytes)
    await sendFrame(socket, Buffer.concat([Uint8Array.of(stdinChannel), part]))
  }
}

function sendFrame(socket: WebSocket, frame: Buffer): Promise<void> {
  return new Promise((resolve, reject) => socket.send(frame, (error) => (error == null ? resolve() : reject(error))))
}

// Closing is orderly: frames sent before it are delivered first.
function closed(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState === socket.CLOSED) return resolve()
    socket.once('close', () => resolve())
    socket.close()
  })
}

// The status of the attached process: `Success` when it ended well.
function toFailure(path: string, text: string): Error | undefined {
  return text === '' || text.includes('"status":"Success"')
    ? undefined
    : attachFailed(path, new Error(toVisibleText(text)))
}
