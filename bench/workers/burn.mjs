/**
 * Computes for so many steps; the result depends on each of them, so none can be left out.
 * @param {number} steps
 */
export default function burn(steps) {
  let state = 1
  for (let step = 0; step < steps; step++) state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
  return state
}
