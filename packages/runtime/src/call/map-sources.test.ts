import { describe, expect, test } from 'vitest'

import { lift } from './lift.ts'
import { forEach, map, starmap } from './map.ts'

const root = async (n: number): Promise<number> => {
  if (n < 0) throw new RangeError(`negative: ${n}`)
  return Math.sqrt(n)
}
const never = () => new Promise<never>(() => undefined)
const soon = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Gives these numbers, and then waits for ever. */
function createQueue(numbers: readonly number[], onReturn: () => unknown = () => undefined) {
  const told: string[] = []
  let given = 0
  const iterator: AsyncIterator<number> = {
    next: async () => (given < numbers.length ? { done: false, value: numbers[given++] ?? 0 } : await never()),
    return: async () => {
      told.push('return')
      await onReturn()
      return { done: true, value: undefined }
    },
  }
  return { told, source: { [Symbol.asyncIterator]: () => iterator } }
}

async function warningsOf(run: () => Promise<void>): Promise<string[]> {
  const warnings: string[] = []
  const onWarning = (warning: Error) => warnings.push(warning.message)
  process.on('warning', onWarning)
  await run()
  await soon()
  process.off('warning', onWarning)
  return warnings
}

describe('while a source waits', () => {
  test('a call that throws ends the map at once', async () => {
    const { source, told } = createQueue([4, -1])
    await expect(map(root, source)).rejects.toThrow('negative: -1')
    expect(told).toEqual(['return'])
  })

  test('so does a generator that cannot return before it has its next value', async () => {
    async function* queue() {
      yield -1
      await never()
    }
    await expect(map(root, queue())).rejects.toThrow('negative: -1')
    await expect(forEach(root, queue())).rejects.toThrow('negative: -1')
  })

  test('an abort ends it with the reason, and every call that is in flight', async () => {
    const { source, told } = createQueue([1, 2])
    const controller = new AbortController()
    const results = Promise.resolve(map(() => never(), source, { signal: controller.signal }))
    await soon()
    controller.abort(new Error('closing time'))
    await expect(results).rejects.toThrow('closing time')
    expect(told).toEqual(['return'])
  })

  test('a loop can be left, also from outside', async () => {
    const { source, told } = createQueue([9])
    for await (const result of map(root, source)) {
      expect(result).toBe(3)
      break
    }
    expect(told).toEqual(['return'])
    const iterator = map(root, createQueue([]).source)[Symbol.asyncIterator]()
    const pending = iterator.next()
    expect(await iterator.return(undefined)).toEqual({ done: true, value: undefined })
    expect(await pending).toEqual({ done: true, value: undefined })
  })

  test('it may return never, or throw then: a warning, beside what ended the map', async () => {
    await expect(map(root, createQueue([-1], never).source)).rejects.toThrow('negative')
    const fail = () => Promise.reject(new Error('cannot close'))
    const warnings = await warningsOf(async () => {
      for await (const result of map(root, createQueue([4], fail).source)) {
        expect(result).toBe(2)
        break
      }
    })
    expect(warnings).toEqual(['cannot close'])
  })
})

test('a source may end its own map', async () => {
  const controller = new AbortController()
  const closed: number[] = []
  function* inputs() {
    try {
      yield 1
      controller.abort(new Error('no more'))
      yield 2
      yield 3
    } finally {
      closed.push(1)
    }
  }
  const warnings = await warningsOf(async () => {
    await expect(map(root, inputs(), { signal: controller.signal })).rejects.toThrow('no more')
  })
  expect([closed, warnings]).toEqual([[1], []])
})

test('several who wait for results at the same time all get one', async () => {
  const iterator = map(root, [1, 4, 9])[Symbol.asyncIterator]()
  const steps = await Promise.all([iterator.next(), iterator.next(), iterator.next(), iterator.next()])
  expect(steps.map(({ value }) => value)).toEqual([1, 2, 3, undefined])
  const failing = map(root, [-1])[Symbol.asyncIterator]()
  const outcomes = await Promise.allSettled([failing.next(), failing.next()])
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
})

test('what a map gave is used in one way', async () => {
  let runs = 0
  const count = async (n: number) => {
    runs += 1
    return n
  }
  const looped = map(count, [1, 2, 3])
  for await (const each of looped) expect(each).toBeGreaterThan(0)
  await expect(looped).rejects.toMatchObject({ code: 'MAP_USED_TWICE' })
  const awaited = map(count, [1, 2, 3])
  expect([await awaited, await awaited]).toEqual([
    [1, 2, 3],
    [1, 2, 3],
  ])
  expect(() => awaited[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ code: 'MAP_USED_TWICE' }))
  expect(runs).toBe(6)
})

test('inputs are what can be looped over; a text is', async () => {
  expect(await map(async (digit: string) => Number(digit) ** 2, '123')).toEqual([1, 4, 9])
  for (const inputs of [5, null, undefined, Promise.resolve([1]), {}]) {
    expect(() => Reflect.apply(map, undefined, [root, inputs])).toThrow(
      expect.objectContaining({ code: 'INPUTS_NOT_ITERABLE' }),
    )
  }
  await expect(Reflect.apply(starmap, undefined, [root, [[4], 4]])).rejects.toMatchObject({ code: 'INPUT_NOT_LIST' })
})

describe('ordinary functions', () => {
  const slow = async (n: number): Promise<number> => (n === 0 ? 0 : await never())

  test('have the time that their options give them', async () => {
    await expect(map(slow, [0, 1], { timeoutMs: 20 })).rejects.toMatchObject({ code: 'CALL_TIMEOUT' })
    await expect(lift(slow, { timeoutMs: 20 })(1)).rejects.toMatchObject({ code: 'CALL_TIMEOUT' })
    const outcomes = await map(slow, [0, 1], { timeoutMs: 20, onError: 'return' })
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  })

  test('are not waited for after an abort', async () => {
    const controller = new AbortController()
    const calls = Array.from({ length: 20 }, () => lift(slow, { signal: controller.signal })(1))
    controller.abort(new Error('enough'))
    const outcomes = await Promise.allSettled(calls)
    expect(new Set(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.message))).toEqual(
      new Set(['enough']),
    )
  })
})
