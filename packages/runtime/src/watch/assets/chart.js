import { element, shape } from './dom.js'
import { toCount } from './format.js'

const MOST_BARS = 120
const SIZE = { width: 960, height: 120 }

/** A picture of how many calls were done and failed in each second; its text says the same. */
export function drawChart({ seconds, startedAt, at, endedAt }) {
  const last = Math.floor((endedAt ?? at) / 1000)
  const first = Math.max(Math.floor(startedAt / 1000), last - 599)
  const bars = toBars(seconds, first, last)
  const most = Math.max(1, ...bars.map(({ done, failed }) => done + failed))
  const view = { viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }
  const shapes = bars.flatMap((bar, index) => toShapes(bar, { index, count: bars.length, most }))
  return element('figure', {}, shape('svg', view, ...shapes), element('figcaption', {}, toText(bars, last - first + 1)))
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
  const step = SIZE.width / count
  const toHeight = (calls) => (calls / most) * SIZE.height
  const base = { x: index * step + step * 0.1, width: Math.max(0.8 * step, 1) }
  const part = (name, calls, below) => {
    const y = SIZE.height - toHeight(below + calls)
    return calls > 0 ? [shape('rect', { class: name, ...base, y, height: toHeight(calls) })] : []
  }
  return [...part('done', done, 0), ...part('failed', failed, done)]
}

function toText(bars, span) {
  const mean = (key) => bars.reduce((total, bar) => total + bar[key], 0) / bars.length
  const most = Math.max(...bars.map(({ done, failed }) => done + failed))
  const failures = mean('failed') > 0 ? `, ${mean('failed').toFixed(1)} failed` : ''
  return `The last ${toCount(span)} seconds: ${toCount(mean('done'))} done a second on average${failures}; ${toCount(most)} at most.`
}
