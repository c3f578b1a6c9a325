/** The known name that was probably meant, or `undefined` when none is near. */
export function closestName(written: string, known: readonly string[]): string | undefined {
  const limit = written.length < 6 ? 1 : 2
  const near = known.map((name) => ({ name, distance: editDistance(written.toLowerCase(), name.toLowerCase()) }))
  const [best] = near.toSorted((a, b) => a.distance - b.distance)
  return best !== undefined && best.distance <= limit ? best.name : undefined
}

// Damerau-Levenshtein (adjacent letters swapped count once), row by row.
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const changed = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? Infinity) + 1 : Infinity
      row.push(Math.min(changed, swapped, (row[j - 1] ?? 0) + 1, (last[j] ?? 0) + 1))
    }
    before = last
    last = row
  }
  return last[b.length] ?? 0
}
