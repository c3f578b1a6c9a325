import { performance } from '@turbolift/worker-base/clock'

import { events } from './events.ts'
import type { MapCounts, MapEvent } from './events.ts'

let lastMapId = 0

export interface ReportedMap {
  readonly functionId: string
  readonly pool: string
  readonly total: number | undefined
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** Tells the listeners how far a `map` is. The map keeps the counts, which it can do for next to nothing. */
export class MapReport {
  readonly mapId: number
  readonly counts: Writable<MapCounts>
  readonly #event: MapEvent
  readonly #startedAt: number = performance.now()
  #isOver = false

  constructor({ functionId, pool, total }: ReportedMap) {
    lastMapId += 1
    this.mapId = lastMapId
    this.counts = startCounts(total)
    this.#event = { mapId: this.mapId, functionId, pool, counts: this.counts }
    events['map:started'].emit({ ...this.#event })
  }

  /** Harmless when it is over already. @param error why it ended early */
  end(error: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.counts.inFlight = 0
    events['map:ended'].emit({ ...this.#event, durationMs: performance.now() - this.#startedAt, error })
  }
}

/** The counts of a map that begins. */
export function startCounts(total: number | undefined): Writable<MapCounts> {
  return { total, inFlight: 0, done: 0, failed: 0, cached: 0 }
}
