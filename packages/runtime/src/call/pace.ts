/**
 * Work that may wait in a worker beside what runs there, so that it need not wait for the next call to arrive: a little
 * more than a worker lets pass before it announces answers while calls wait in it.
 */
const WAITING_WORK_MS = 40
/** Of calls up to this long one may always wait: else their worker is idle for the way there and back of each. */
const LONG_MS = 200
/** More than this waiting in one worker brings nothing. */
const MOST_WAITING = 128
/** A worker that answers nothing for this long runs something slow. */
const STUCK_MS = 60
/** Weight of the newest measurement. */
const NEWEST = 0.3

/**
 * Learns from one worker's answers how long calls take, and says how many may be sent ahead: none while nothing is
 * known or calls are long, many when they are tiny.
 */
export class Pace {
  #averageMs = Infinity
  #since = 0

  /** The worker was idle and got work. */
  start(nowMs: number): void {
    this.#since = nowMs
  }

  /** Answers arrived together; the worker was busy since the last ones. */
  record({
    answers,
    slots,
    nowMs,
  }: {
    readonly answers: number
    readonly slots: number
    readonly nowMs: number
  }): void {
    const measuredMs = ((nowMs - this.#since) * slots) / answers
    this.#since = nowMs
    this.#averageMs = this.#averageMs === Infinity ? measuredMs : this.#averageMs * (1 - NEWEST) + measuredMs * NEWEST
  }

  /** Nothing was answered for much longer than all that waits should take: what waits had better go elsewhere. */
  isStuck(nowMs: number): boolean {
    return nowMs - this.#since > STUCK_MS
  }

  get averageMs(): number {
    return this.#averageMs
  }

  /** Calls that may be sent to wait in the worker, beside those that run. */
  get ahead(): number {
    if (this.#averageMs > LONG_MS) return 0
    return Math.min(MOST_WAITING, Math.max(1, Math.round(WAITING_WORK_MS / this.#averageMs)))
  }
}
