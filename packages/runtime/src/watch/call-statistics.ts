import type { CallDone, CallFailed, CallRetried, Timed } from './events.ts'
import type { FunctionSnapshot, RunSnapshot, SecondSnapshot, SlowCall } from './snapshot.ts'

const MOST_SECONDS = 600
const MOST_SLOW = 10

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** Counts calls by function and by second, and keeps the slowest ones. */
export class CallStatistics {
  readonly #functions: Map<string, Writable<FunctionSnapshot>> = new Map()
  #seconds: Writable<SecondSnapshot>[] = []
  #slowest: SlowCall[] = []

  recordDone(event: Timed<CallDone>): void {
    const { functionId, durationMs } = event
    const counts = this.#countsOf(functionId)
    counts.done += 1
    counts.totalMs += durationMs
    counts.maxMs = Math.max(counts.maxMs, durationMs)
    this.#secondOf(event.at).done += 1
    const isSlow = this.#slowest.length < MOST_SLOW || durationMs > (this.#slowest.at(-1)?.durationMs ?? 0)
    if (isSlow) this.#addSlow(event)
  }

  recordFailed({ functionId, at }: Timed<CallFailed>): void {
    this.#countsOf(functionId).failed += 1
    this.#secondOf(at).failed += 1
  }

  recordRetried({ functionId }: Timed<CallRetried>): void {
    this.#countsOf(functionId).retried += 1
  }

  toSnapshot(): Pick<RunSnapshot, 'functions' | 'seconds' | 'slowest'> {
    return { functions: [...this.#functions.values()], seconds: this.#seconds, slowest: this.#slowest }
  }

  #countsOf(id: string): Writable<FunctionSnapshot> {
    const known = this.#functions.get(id)
    if (known !== undefined) return known
    const counts = { id, done: 0, failed: 0, retried: 0, totalMs: 0, maxMs: 0 }
    this.#functions.set(id, counts)
    return counts
  }

  #secondOf(at: number): Writable<SecondSnapshot> {
    const second = Math.floor(at / 1000)
    const last = this.#seconds.at(-1)
    if (last !== undefined && last.second >= second) return last
    const added = { second, done: 0, failed: 0 }
    this.#seconds.push(added)
    if (this.#seconds.length > MOST_SECONDS) this.#seconds = this.#seconds.slice(-MOST_SECONDS)
    return added
  }

  #addSlow({ callId, functionId, workerId, attempt, durationMs, at }: Timed<CallDone>): void {
    this.#slowest.push({ callId, functionId, workerId, attempt, durationMs, at })
    this.#slowest = this.#slowest.toSorted((a, b) => b.durationMs - a.durationMs).slice(0, MOST_SLOW)
  }
}
