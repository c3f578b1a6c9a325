/** `1,234,567` */
export function toCount(count: number): string {
  return String(Math.round(count)).replaceAll(/\B(?=(\d{3})+$)/g, ',')
}

/** `0.42/s`, `3.1/s`, `1,203/s` */
export function toPerSecond(perSecond: number): string {
  if (perSecond >= 100) return `${toCount(perSecond)}/s`
  return `${perSecond.toFixed(perSecond >= 1 ? 1 : 2)}/s`
}

/** `0.4 s`, `42 s`, `2 min 05 s`, `3 h 04 min` */
export function toDuration(ms: number): string {
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${pad(seconds % 60)} s`
  return `${toCount(Math.floor(minutes / 60))} h ${pad(minutes % 60)} min`
}

function pad(count: number): string {
  return String(count).padStart(2, '0')
}
