import burn from '../workers/burn.mjs'

/** Burns for at least so many milliseconds and says how many steps that took. */
export function burnFor(ms: number): number {
  const chunk = 100_000
  const end = performance.now() + ms
  let steps = 0
  for (; performance.now() < end; steps += chunk) burn(chunk)
  return steps
}
