import { map, starmap } from './map.ts'
import type { MapOptions, Outcome } from './map-options.ts'
import type { MapResults } from './map-results.ts'

// Checked by `tsc`: what does not compile here, or compiles where an error is expected, fails.
declare const options: MapOptions
declare const isCareful: boolean
const square = async (n: number): Promise<number> => n * n
const add = async (a: number, b: number, c?: number): Promise<number> => a + b + (c ?? 0)
async function* upTo(n: number): AsyncGenerator<number> {
  yield n
}
const identity = async <T>(value: T): Promise<T> => value
const fail = (n: number): never => {
  throw new Error(String(n))
}

type Numbers = MapResults<number>
type Outcomes = MapResults<Outcome<number>>
type Either = MapResults<number | Outcome<number>>

export const plain: Numbers = map(square, [1, 2])
export const skipped: Numbers = map(square, [1, 2], { onError: 'skip' })
export const returned: Outcomes = map(square, [1, 2], { onError: 'return' })
export const either: Either = map(square, [1, 2], options)
export const chosen: Either = map(square, [1, 2], { onError: isCareful ? 'return' : 'throw' })
// @ts-expect-error -- what the options say is not known here
export const wrong: Numbers = map(square, [1, 2], options)
export const texts: MapResults<string> = map(identity<string>, 'abc')
export const generic: Numbers = map(identity, [1, 2])
export const nothing: MapResults<never> = map(fail, [1])
export const inline: Numbers = map((n) => n * 2, [1, 2])
export const loose: MapResults<unknown> = map((n: number): unknown => n, new Set([1]))
// @ts-expect-error -- an async generator
map(upTo, [1])
// @ts-expect-error -- an async generator
starmap(upTo, [[1]])

export const tuples: Numbers = starmap(add, [[1, 2]])
export const optional: Numbers = starmap(add, [
  [1, 2],
  [1, 2, 3],
])
export const readonlyTuples: Numbers = starmap(
  add,
  [1, 2].map((n) => [n, n + 1] as const),
)
export const outcomes: Outcomes = starmap(add, [[1, 2]], { onError: 'return' })
export const eitherOfTuples: Either = starmap(add, [[1, 2]], options)
// @ts-expect-error -- texts are no numbers
starmap(add, [['a', 'b']])
// @ts-expect-error -- an argument is missing
starmap(add, [[1]])
// @ts-expect-error -- texts are no numbers
map(square, ['a'])
