/** Computes for so many steps; the result depends on each of them, so none can be left out. */
export function burn(steps: number): number {
  let state = 1
  for (let step = 0; step < steps; step++) state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
  return state
}

/** Burns for at least so many milliseconds and says how many steps that took. */
export function burnFor(ms: number): number {
  const chunk = 100_000
  const end = performance.now() + ms
  let steps = 0
  for (; performance.now() < end; steps += chunk) burn(chunk)
  return steps
}
