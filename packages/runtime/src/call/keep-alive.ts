import { clearInterval, setInterval } from '@turbolift/worker-base/clock'

/** Longest delay that timers take. */
const FOREVER_MS = 2 ** 31 - 1

/**
 * Keeps the program from ending while calls are pending, and only then: sockets, pipes and processes of workers never
 * do by themselves.
 */
export class KeepAlive {
  #timer: NodeJS.Timeout | undefined
  #holds = 0

  get isHeld(): boolean {
    return this.#holds > 0
  }

  hold(): void {
    this.#holds += 1
    if (this.#holds > 1) return
    this.#timer ??= setInterval(() => undefined, FOREVER_MS)
    this.#timer.ref()
  }

  release(): void {
    this.#holds -= 1
    if (this.#holds === 0) this.#timer?.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
