import { shape } from './dom.js'
import { toCount } from './format.js'

const MOST_BARS = 120
const SIZE = { width: 960, height: 144, left: 60, bottom: 20, top: 8 }

/** A picture of how many calls were done and failed in each second; a line of text says the same. */
export function drawChart({ seconds, startedAt, at, endedAt }) {
  const last = Math.floor((endedAt ?? at) / 1000)
  const first = Math.max(Math.floor(startedAt / 1000), last - 599)
  const bars = toBars(seconds, first, last)
  const most = Math.max(1, ...bars.map(({ done, failed }) => done + failed))
  const label = toLabel(bars, last - first + 1)
  return shape(
    'svg',
    { viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
    ...toAxes(most, last - first),
    ...bars.flatMap((bar, index) => toShapes(bar, { index, count: bars.length, most })),
  )
}

/** Calls a second, in at most 120 bars of equal length. */
function toBars(seconds, first, last) {
  const length = Math.max(1, Math.ceil((last - first + 1) / MOST_BARS))
  const count = Math.max(1, Math.ceil((last - first + 1) / length))
  const bars = Array.from({ length: count }, () => ({ done: 0, failed: 0 }))
  for (const { second, done, failed } of seconds) {
    const bar = bars[Math.floor((second - first) / length)]
    if (bar === undefined) continue
    bar.done += done / length
    bar.failed += failed / length
  }
  return bars
}

function toShapes({ done, failed }, { index, count, most }) {
  const { width, height, left, bottom, top } = SIZE
  const step = (width - left) / count
  const toHeight = (calls) => (calls / most) * (height - bottom - top)
  const base = { x: left + index * step + step * 0.1, width: Math.max(0.8 * step, 1) }
  const part = (name, calls, below) => {
    const y = height - bottom - toHeight(below + calls)
    return calls > 0 ? [shape('rect', { class: name, ...base, y, height: toHeight(calls) })] : []
  }
  return [...part('done', done, 0), ...part('failed', failed, done)]
}

function toAxes(most, span) {
  const { width, height, left, bottom, top } = SIZE
  const line = (y) => shape('line', { class: 'axis', x1: left, x2: width, y1: y, y2: y })
  const text = (words, x, y, anchor) => shape('text', { x, y, 'text-anchor': anchor }, words)
  return [
    line(top),
    line(height - bottom),
    text(`${toCount(most)}/s`, left - 8, top + 8, 'end'),
    text('0', left - 8, height - bottom, 'end'),
    text(`${span} s before`, left, height - 4, 'start'),
    text('last', width, height - 4, 'end'),
  ]
}

function toLabel(bars, span) {
  const sum = (key) => bars.reduce((total, bar) => total + bar[key], 0) / bars.length
  const most = Math.max(...bars.map(({ done }) => done))
  const text = `In the last ${toCount(span)} seconds: on average ${toCount(sum('done'))} calls done a second`
  return `${text}, ${toCount(most)} at most; ${sum('failed').toFixed(1)} failed a second.`
}
