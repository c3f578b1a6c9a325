const grouped = new Intl.NumberFormat('en')
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' })

/** `1,234,567` */
export function toCount(count) {
  return grouped.format(Math.round(count))
}

/** `0.4 ms`, `42 ms`, `1.3 s`, `2 min 5 s` */
export function toDuration(ms) {
  if (ms < 10) return `${ms.toFixed(1)} ms`
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`
}

/** Time of day. */
export function toTime(at) {
  return clock.format(at)
}

/** The function's name, out of `src/main.ts#square`. */
export function toName(functionId) {
  return functionId.slice(functionId.lastIndexOf('#') + 1)
}
