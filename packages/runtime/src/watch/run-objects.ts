import type { MapEnded, MapEvent, Timed, WorkerEvent } from './events.ts'
import type { MapSnapshot, RunSnapshot, WorkerSnapshot } from './snapshot.ts'

const MOST_GONE_WORKERS = 50
const MOST_ENDED_MAPS = 50

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** The workers and maps of a run: all that are there, and the last of those that were. */
export class RunObjects {
  readonly #workers: Map<string, Writable<WorkerSnapshot>> = new Map()
  readonly #running: Map<number, Timed<MapEvent>> = new Map()
  #ended: MapSnapshot[] = []

  get hasRunningMaps(): boolean {
    return this.#running.size > 0
  }

  recordWorker({ workerId, pool, at }: Timed<WorkerEvent>, state: WorkerSnapshot['state'], error?: Error): void {
    const known = this.#workers.get(workerId)
    const [done, failed] = [known?.done ?? 0, known?.failed ?? 0]
    this.#workers.set(workerId, { id: workerId, pool, state, since: at, done, failed, error: error?.message })
    if (state !== 'gone') return
    const gone = [...this.#workers.values()].filter((worker) => worker.state === 'gone')
    for (const { id } of gone.slice(0, -MOST_GONE_WORKERS)) this.#workers.delete(id)
  }

  recordCall(workerId: string | undefined, outcome: 'done' | 'failed'): void {
    const worker = workerId === undefined ? undefined : this.#workers.get(workerId)
    if (worker !== undefined) worker[outcome] += 1
  }

  startMap(event: Timed<MapEvent>): void {
    this.#running.set(event.mapId, event)
  }

  endMap(event: Timed<MapEnded>): void {
    const started = this.#running.get(event.mapId)
    if (started !== undefined) this.#end(started, event.at)
  }

  /** What the end of the run leaves open. */
  endAll(at: number): void {
    for (const started of this.#running.values()) this.#end(started, at)
    for (const worker of this.#workers.values()) worker.state = 'gone'
  }

  toSnapshot(): Pick<RunSnapshot, 'workers' | 'maps'> {
    const running = [...this.#running.values()].map((event) => toMapSnapshot(event, undefined))
    return { workers: [...this.#workers.values()], maps: [...this.#ended, ...running] }
  }

  #end(started: Timed<MapEvent>, endedAt: number): void {
    this.#running.delete(started.mapId)
    this.#ended = [...this.#ended, toMapSnapshot(started, endedAt)].slice(-MOST_ENDED_MAPS)
  }
}

function toMapSnapshot({ mapId, functionId, counts, at }: Timed<MapEvent>, endedAt: number | undefined): MapSnapshot {
  const { total, done, failed, inFlight, cached } = counts
  return { id: mapId, functionId, total, done, failed, inFlight, cached, startedAt: at, endedAt }
}
