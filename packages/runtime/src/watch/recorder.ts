import { wallClock } from '@turbolift/worker-base/clock'

import { on } from './events.ts'
import type { RunStarted } from './events.ts'
import { CallStatistics } from './call-statistics.ts'
import { ErrorList } from './error-list.ts'
import { RunObjects } from './run-objects.ts'
import { SNAPSHOT_VERSION } from './snapshot.ts'
import type { LogSnapshot, RunSnapshot } from './snapshot.ts'

const MOST_LINES = 200
const LONGEST_LINE = 1_000

/** Sums up what happens in a run, in bounded memory. */
export interface RunRecorder extends Disposable {
  /** Whether anything happened since the last snapshot, or is going on. */
  readonly hasNews: boolean
  /** What the page shows now. */
  takeSnapshot(): RunSnapshot
  /** The run is over. */
  end(): void
}

export function createRecorder(run: RunStarted): RunRecorder {
  return new EventRecorder(run)
}

class EventRecorder implements RunRecorder {
  readonly #run: RunStarted
  readonly #startedAt: number = wallClock()
  readonly #calls: CallStatistics = new CallStatistics()
  readonly #objects: RunObjects = new RunObjects()
  readonly #errors: ErrorList = new ErrorList()
  readonly #log: LogSnapshot[] = []
  readonly #stops: readonly (() => void)[]
  #endedAt: number | undefined
  #hasHappened = true

  constructor(run: RunStarted) {
    this.#run = run
    this.#stops = [...this.#watchCalls(), ...this.#watchObjects()]
  }

  get hasNews(): boolean {
    // The counts of a map move without an event.
    return this.#hasHappened || this.#objects.hasRunningMaps
  }

  takeSnapshot(): RunSnapshot {
    this.#hasHappened = false
    return {
      version: SNAPSHOT_VERSION,
      ...this.#run,
      pid: process.pid,
      startedAt: this.#startedAt,
      at: wallClock(),
      endedAt: this.#endedAt,
      ...this.#calls.toSnapshot(),
      ...this.#objects.toSnapshot(),
      errors: this.#errors.toSnapshot(),
      log: [...this.#log],
    }
  }

  end(): void {
    this.#endedAt = wallClock()
    this.#objects.endAll(this.#endedAt)
    this.#hasHappened = true
  }

  [Symbol.dispose](): void {
    for (const stop of this.#stops) stop()
  }

  #watchCalls(): readonly (() => void)[] {
    return [
      on('call:done', (event) => {
        this.#hasHappened = true
        this.#calls.recordDone(event)
        this.#objects.recordCall(event.workerId, 'done')
      }),
      on('call:failed', (event) => {
        this.#hasHappened = true
        this.#calls.recordFailed(event)
        this.#objects.recordCall(event.workerId, 'failed')
        this.#errors.add(event, { isRetried: false })
      }),
      on('call:retried', (event) => {
        this.#hasHappened = true
        this.#calls.recordRetried(event)
        this.#errors.add(event, { isRetried: true })
      }),
    ]
  }

  #watchObjects(): readonly (() => void)[] {
    const objects = this.#objects
    const note = () => {
      this.#hasHappened = true
    }
    return [
      on('worker:started', (event) => objects.recordWorker(event, 'starting')),
      on('worker:ready', (event) => objects.recordWorker(event, 'ready')),
      on('worker:gone', (event) => objects.recordWorker(event, 'gone', event.error)),
      on('map:started', (event) => objects.startMap(event)),
      on('map:ended', (event) => objects.endMap(event)),
      on('log:line', ({ at, workerId, stream, line }) => {
        this.#log.push({ at, workerId, stream, line: line.slice(0, LONGEST_LINE) })
        if (this.#log.length > MOST_LINES) this.#log.shift()
      }),
      ...(['worker:started', 'worker:ready', 'worker:gone', 'map:ended', 'log:line'] as const).map((name) =>
        on(name, note),
      ),
    ]
  }
}
