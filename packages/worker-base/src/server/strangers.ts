import type { Socket } from 'node:net'

/** Connections that have not shown the token yet, at most. */
const MOST_STRANGERS = 256

/**
 * Connections that have not shown the token. When there are too many, the oldest is closed: those that stay open without
 * a word keep no probe and no program out.
 */
export class Strangers {
  readonly #sockets = new Map<unknown, Socket>()

  add(socket: Socket): void {
    const key = toKey(socket)
    this.#sockets.set(key, socket)
    socket.on('close', () => {
      if (this.#sockets.get(key) === socket) this.#sockets.delete(key)
    })
    if (this.#sockets.size <= MOST_STRANGERS) return
    const [[oldestKey, oldest] = []] = this.#sockets
    this.#sockets.delete(oldestKey)
    oldest?.destroy()
  }

  /** It has shown the token. */
  remove(socket: Socket): void {
    this.#sockets.delete(toKey(socket))
  }
}

/** With TLS a request has another socket than its connection, of the same peer. */
function toKey(socket: Socket): unknown {
  return socket.remotePort === undefined ? socket : `${socket.remoteAddress} ${socket.remotePort}`
}
