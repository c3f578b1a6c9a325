import { clearInterval, performance, setInterval } from '@turbolift/worker-base/clock'

import { parseLiftId } from '../lift-id.ts'
import { toVisibleLine } from '../visible-text.ts'
import { on } from './events.ts'
import type { MapEnded, MapEvent, Timed } from './events.ts'
import { createLiveLines } from './live-lines.ts'
import type { LiveLines, OutputStream } from './live-lines.ts'
import { toEndLine, toLiveLine, toQuietLine } from './progress-line.ts'
import type { MapProgress } from './progress-line.ts'
import { Rate } from './rate.ts'

const REDRAW_MS = 100
/** A `map` that is done sooner says nothing. */
const SILENT_MS = 1_000
const QUIET_MS = 30_000
const QUIET_SHARE = 0.1
/** More maps at a time than this are counted, not shown. */
const MOST_LINES = 5

/** Where progress is shown, and with which clock. */
export interface ProgressOptions {
  readonly stream: OutputStream
  /** Streams of the program that may end up on the same terminal. */
  readonly others: readonly OutputStream[]
  /** Whether lines may be drawn over; else there are a few plain ones. */
  readonly isLive: boolean
  readonly now?: () => number
}

/** Shows how far each `map` is. Disposing leaves the terminal clean. */
export interface Progress extends Disposable {
  /** Brings what is shown up to date. Also done every 100 ms while a `map` runs. */
  refresh(): void
}

/** Whether, and how, progress is shown when nobody said so. */
export function isLiveTerminal(
  stream: OutputStream,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  const isPlain = [undefined, '', '0', 'false'].includes(environment['CI'])
  return stream.isTTY === true && isPlain && environment['TERM'] !== 'dumb'
}

export function createProgress(options: ProgressOptions): Progress {
  return new ProgressDisplay(options)
}

/** A `map` that runs. */
interface Running {
  readonly event: Timed<MapEvent>
  readonly startedMs: number
  readonly rate: Rate
  isShown: boolean
  /** Of the last quiet line. */
  saidMs: number
  saidShare: number
}

class ProgressDisplay implements Progress {
  readonly #options: ProgressOptions
  readonly #now: () => number
  readonly #stops: readonly (() => void)[]
  readonly #running: Map<number, Running> = new Map()
  readonly #workers: Map<string, string> = new Map()
  #lines: LiveLines | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: ProgressOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#stops = [
      on('map:started', (event) => this.#start(event)),
      on('map:ended', (event) => this.#end(event)),
      on('worker:ready', ({ workerId, pool }) => this.#workers.set(workerId, pool)),
      on('worker:gone', ({ workerId }) => this.#workers.delete(workerId)),
    ]
  }

  refresh(): void {
    const nowMs = this.#now()
    for (const running of this.#running.values()) {
      const { done, failed, cached } = running.event.counts
      running.rate.record(done + failed - cached, nowMs)
      if (nowMs - running.startedMs >= SILENT_MS) running.isShown = true
    }
    if (this.#options.isLive) this.#draw()
    else for (const running of this.#running.values()) this.#sayQuietly(running, nowMs)
  }

  [Symbol.dispose](): void {
    for (const stop of this.#stops) stop()
    this.#running.clear()
    this.#rest()
  }

  #start(event: Timed<MapEvent>): void {
    const startedMs = this.#now()
    const rate = new Rate()
    rate.record(0, startedMs)
    this.#running.set(event.mapId, { event, startedMs, rate, isShown: false, saidMs: startedMs, saidShare: 0 })
    if (this.#options.isLive) this.#lines ??= createLiveLines(this.#options.stream, this.#options.others)
    this.#timer ??= setInterval(() => this.refresh(), REDRAW_MS).unref()
  }

  #end(event: Timed<MapEnded>): void {
    const running = this.#running.get(event.mapId)
    if (running === undefined) return
    this.#running.delete(event.mapId)
    if (this.#now() - running.startedMs >= SILENT_MS) {
      const line = toEndLine(this.#toProgress(running), event.error)
      if (this.#lines === undefined) this.#options.stream.write(`turbolift: ${line}\n`)
      else this.#lines.print(line)
    }
    if (this.#running.size === 0) this.#rest()
    else this.refresh()
  }

  // Nothing runs: no timer, and the program's streams are as they were.
  #rest(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#lines?.[Symbol.dispose]()
    this.#lines = undefined
  }

  #draw(): void {
    const { stream } = this.#options
    const style = { width: (stream.columns ?? 80) - 1, hasColors: stream.hasColors?.() === true }
    const shown = [...this.#running.values()].filter(({ isShown }) => isShown)
    const lines = shown.slice(0, MOST_LINES).map((running) => toLiveLine(this.#toProgress(running), style))
    const more = shown.length - lines.length
    this.#lines?.draw(more > 0 ? [...lines, `… and ${more} more`] : lines)
  }

  #sayQuietly(running: Running, nowMs: number): void {
    if (!running.isShown) return
    const { total, done, failed } = running.event.counts
    const share = total === undefined ? 0 : (done + failed) / total
    const isFirst = running.saidMs === running.startedMs
    const isFurther = share >= running.saidShare + QUIET_SHARE && nowMs - running.saidMs >= SILENT_MS
    if (!isFirst && !isFurther && nowMs - running.saidMs < QUIET_MS) return
    running.saidMs = nowMs
    running.saidShare = Math.floor(share / QUIET_SHARE) * QUIET_SHARE
    this.#options.stream.write(`turbolift: ${toQuietLine(this.#toProgress(running))}\n`)
  }

  #toProgress({ event, startedMs, rate }: Running): MapProgress {
    return {
      name: toVisibleLine(parseLiftId(event.functionId).path),
      counts: event.counts,
      workers: [...this.#workers.values()].filter((pool) => pool === event.pool).length,
      perSecond: rate.perSecond,
      elapsedMs: this.#now() - startedMs,
    }
  }
}
