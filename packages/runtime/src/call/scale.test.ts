import { expect, test } from 'vitest'

import { wantedReplicas } from './scale.ts'
import type { Load } from './scale.ts'

const load: Load = {
  pending: 0,
  averageMs: Infinity,
  most: 16,
  slotsPerWorker: 1,
  minReplicas: 0,
  maxReplicas: 1000,
  replicas: 0,
}

test.each<[string, Partial<Load>, number]>([
  ['no calls', {}, 0],
  ['one for each call', { pending: 3 }, 3],
  ['one for as many calls as it runs at a time', { pending: 9, slotsPerWorker: 4 }, 3],
  ['never more than allowed', { pending: 9, maxReplicas: 2 }, 2],
  ['never fewer than wanted', { minReplicas: 2 }, 2],
  ['no thousand for a thousand calls of unknown length', { pending: 1000 }, 16],
  ['no thousand for a thousand short calls', { pending: 1000, averageMs: 5 }, 16],
  ['a thousand for a thousand long calls', { pending: 1000, averageMs: 10_000 }, 1000],
  ['more when calls have waited', { pending: 1000, most: 32 }, 32],
  ['fewer calls do not stop workers', { pending: 1, replicas: 5 }, 5],
])('%s', (_, given, wanted) => {
  expect(wantedReplicas({ ...load, ...given })).toBe(wanted)
})
