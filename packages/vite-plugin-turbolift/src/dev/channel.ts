import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { join } from 'node:path'

import { createTemporaryFolder } from '@turbolift/worker-base/folders'
import type { HotChannel, HotChannelClient, HotPayload } from 'vite'

import { readLines, sendLine } from './lines.ts'

/** The way between one Vite environment and all executors of its workers: a socket in a private folder. */
export interface SocketChannel extends Required<Pick<HotChannel, 'send' | 'on' | 'off' | 'close' | 'skipFsCheck'>> {
  /** What executors connect to. */
  readonly address: string
}

/** Opens the socket. It does not keep the process alive, and is gone after `close`. */
export async function createSocketChannel(): Promise<SocketChannel> {
  const { address, removeFolder } = createAddress()
  const listeners = new Map<string, Set<Listener>>()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    const client: HotChannelClient = { send: (payload) => sendLine(socket, payload) }
    sockets.add(socket.unref())
    // A worker that is killed resets its connection; its modules are of no more interest.
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
    readLines(socket, (message) => emit(listeners, message, client))
  })
  server.listen(address).unref()
  await once(server, 'listening')
  // A program that ends by itself or by an error does not close its server.
  process.once('exit', removeFolder)
  return {
    address,
    skipFsCheck: true,
    send: (payload: HotPayload) => sockets.forEach((socket) => sendLine(socket, payload)),
    on: (event: string, listener: Listener) => listeners.set(event, (listeners.get(event) ?? new Set()).add(listener)),
    off: (event: string, listener: Listener) => listeners.get(event)?.delete(listener),
    async close() {
      if (!server.listening) return
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
      process.off('exit', removeFolder)
      removeFolder()
    },
  }
}

type Listener = (data: unknown, client: HotChannelClient) => void

function emit(
  listeners: ReadonlyMap<string, ReadonlySet<Listener>>,
  message: HotPayload,
  client: HotChannelClient,
): void {
  if (message.type !== 'custom') return
  for (const listener of listeners.get(message.event) ?? []) listener(message.data, client)
}

interface Address {
  readonly address: string
  readonly removeFolder: () => void
}

/** Paths of sockets are limited to about 100 characters, so not in the project's folder. */
function createAddress(): Address {
  if (process.platform === 'win32')
    return { address: String.raw`\\.\pipe\turbolift-dev-${randomUUID()}`, removeFolder: () => undefined }
  const folder = createTemporaryFolder()
  return { address: join(folder.path, 'vite.sock'), removeFolder: () => folder[Symbol.dispose]() }
}
