import type { MapCounts } from './events.ts'
import { toCount, toDuration, toPerSecond } from './quantities.ts'

/** What is known of a `map` at one moment. */
export interface MapProgress {
  readonly name: string
  readonly counts: MapCounts
  readonly workers: number
  readonly perSecond: number | undefined
  readonly elapsedMs: number
}

export interface LineStyle {
  /** Columns that the line may take. */
  readonly width: number
  readonly hasColors: boolean
}

const BAR_CELLS = 20
const GREEN = '\u001B[32m'
const RED = '\u001B[31m'
const DIM = '\u001B[2m'
const RESET = '\u001B[0m'

/** One part of a line. When the line is too narrow, the parts of the highest `rank` are left out first. */
interface Part {
  readonly rank: number
  readonly text: string
  readonly color?: string
}

/** `square ━━━━━━━━━━────────── 4,312/10,000 43 % · 8 in flight · 2 workers · 1,203/s · 5 s left` */
export function toLiveLine(progress: MapProgress, style: LineStyle): string {
  const { counts, name } = progress
  const head: readonly Part[] = [{ rank: 0, text: name }, ...toBar(counts), { rank: 0, text: toShare(counts) }]
  const parts = fit([...head, ...toDetails(progress)], style.width)
  return parts
    .map((part, index) => {
      const separator = index === 0 ? '' : head.includes(part) ? ' ' : ' · '
      return separator + paint(part, style)
    })
    .join('')
    .slice(0, style.hasColors ? undefined : style.width)
}

/** `square: 4,312/10,000 43 %, 8 in flight, 2 workers, 1,203/s, 5 s left` */
export function toQuietLine(progress: MapProgress): string {
  const details = toDetails(progress).map(({ text }) => text)
  return [`${progress.name}: ${toShare(progress.counts)}`, ...details].join(', ')
}

/** `square: 10,000 done in 8.3 s, 1,203/s, 3 failed` */
export function toEndLine({ name, counts, elapsedMs }: MapProgress, error: unknown): string {
  const { done, failed, cached } = counts
  const computed = done + failed - cached
  const parts = [
    `${name}: ${toCount(done)} done in ${toDuration(elapsedMs)}`,
    ...(computed > 0 && elapsedMs > 0 ? [toPerSecond((computed * 1000) / elapsedMs)] : []),
    ...(cached > 0 ? [`${toCount(cached)} from the cache`] : []),
    ...(failed > 0 ? [`${toCount(failed)} failed`] : []),
    ...(error === undefined ? [] : ['ended early']),
  ]
  return parts.join(', ')
}

function toDetails({ counts, workers, perSecond }: MapProgress): readonly Part[] {
  const { total, done, failed, inFlight, cached } = counts
  const left = total === undefined ? 0 : total - done - failed
  return [
    ...(failed > 0 ? [{ rank: 1, text: `${toCount(failed)} failed`, color: RED }] : []),
    ...(cached > 0 ? [{ rank: 6, text: `${toCount(cached)} from the cache` }] : []),
    { rank: 4, text: `${toCount(inFlight)} in flight` },
    { rank: 5, text: workers === 1 ? '1 worker' : `${toCount(workers)} workers` },
    ...(perSecond === undefined ? [] : [{ rank: 3, text: toPerSecond(perSecond) }]),
    ...(perSecond !== undefined && left > 0
      ? [{ rank: 2, text: `${toDuration((left / perSecond) * 1000)} left` }]
      : []),
  ]
}

function toShare({ total, done, failed }: MapCounts): string {
  const finished = done + failed
  if (total === undefined) return `${toCount(finished)} done`
  const percent = total === 0 ? 100 : Math.floor((finished / total) * 100)
  return `${toCount(finished)}/${toCount(total)} ${percent} %`
}

function toBar({ total, done, failed }: MapCounts): readonly Part[] {
  if (total === undefined || total === 0) return []
  const filled = Math.floor(((done + failed) / total) * BAR_CELLS)
  return [{ rank: 7, text: '━'.repeat(filled) + '─'.repeat(BAR_CELLS - filled), color: GREEN }]
}

function fit(parts: readonly Part[], width: number): readonly Part[] {
  const length = parts.reduce((sum, { text }) => sum + text.length + 3, 0)
  const highest = Math.max(...parts.map(({ rank }) => rank))
  return length <= width || highest === 0
    ? parts
    : fit(
        parts.filter(({ rank }) => rank < highest),
        width,
      )
}

function paint({ text, color }: Part, { hasColors }: LineStyle): string {
  if (!hasColors || color === undefined) return text
  const rest = text.indexOf('─')
  if (rest === -1) return color + text + RESET
  return color + text.slice(0, rest) + RESET + DIM + text.slice(rest) + RESET
}
