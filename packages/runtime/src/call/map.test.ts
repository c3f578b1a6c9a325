import { describe, expect, test, vi } from 'vitest'

import { MapFailedError } from '../errors.ts'
import { lift } from './lift.ts'
import { forEach, map, starmap } from './map.ts'
import { FatalError, RetryableError } from './user-errors.ts'

const double = async (n: number) => n * 2

/** A function whose calls end when the test says so. */
function createGate() {
  const open = new Map<number, () => void>()
  const started: number[] = []
  const fn = async (n: number) => {
    started.push(n)
    await new Promise<void>((resolve) => open.set(n, resolve))
    return n
  }
  return { fn, started, open: (n: number) => open.get(n)?.() }
}

function* countUp(read: number[], to = Infinity) {
  try {
    for (let n = 0; n < to; n += 1) {
      read.push(n)
      yield n
    }
  } finally {
    read.push(-1)
  }
}

describe('results', () => {
  test('of an array, a set, a generator and an async generator', async () => {
    async function* slowly() {
      for (const n of [1, 2, 3]) {
        await new Promise((resolve) => setImmediate(resolve))
        yield n
      }
    }
    expect(await map(double, [1, 2, 3])).toEqual([2, 4, 6])
    expect(await map(double, new Set([1, 2, 3]))).toEqual([2, 4, 6])
    expect(await map(double, countUp([], 3))).toEqual([0, 2, 4])
    expect(await map(double, slowly())).toEqual([2, 4, 6])
    expect(await map(double, [])).toEqual([])
  })

  test('one by one', async () => {
    const results: number[] = []
    for await (const result of map(double, [1, 2, 3])) results.push(result)
    expect(results).toEqual([2, 4, 6])
  })

  test('in the order of inputs, or as they are ready', async () => {
    const { fn, started, open } = createGate()
    const ordered = Promise.resolve(map(fn, [0, 1, 2]))
    const ready = Promise.resolve(map(fn, [10, 11, 12], { ordered: false }))
    await vi.waitFor(() => expect(started).toHaveLength(6))
    for (const n of [2, 0, 1, 12, 10, 11]) {
      open(n)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await ordered).toEqual([0, 1, 2])
    expect(await ready).toEqual([12, 10, 11])
  })

  test('awaiting twice makes the calls once', async () => {
    const fn = vi.fn(double)
    const results = map(fn, [1, 2])
    expect(fn).not.toHaveBeenCalled()
    expect(await results).toBe(await results)
    expect(fn).toHaveBeenCalledTimes(2)
  })

  test('starmap spreads each input; forEach keeps nothing', async () => {
    expect(
      await starmap(
        async (a: number, b: string) => `${a}${b}`,
        [
          [1, 'a'],
          [2, 'b'],
        ],
      ),
    ).toEqual(['1a', '2b'])
    const seen: number[] = []
    expect(await forEach(async (n: number) => void seen.push(n), [1, 2, 3])).toBeUndefined()
    expect(seen).toEqual([1, 2, 3])
  })

  test('falsy results are results', async () => {
    expect(await map(async (n: unknown) => n, [undefined, null, 0, ''])).toEqual([undefined, null, 0, ''])
  })
})

describe('back-pressure', () => {
  test('a source without end is read only as fast as results are taken', async () => {
    const read: number[] = []
    for await (const result of map(double, countUp(read), { concurrency: 3 })) if (result === 20) break
    expect(read.length).toBeLessThan(11 + 3 * 4 + 2)
    expect(read.at(-1)).toBe(-1)
  })

  test('no more calls at a time than concurrency', async () => {
    let [running, most] = [0, 0]
    const fn = async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
    }
    await map(fn, countUp([], 100), { concurrency: 7 })
    expect(most).toBe(7)
  })

  test('calls go on while the loop is busy with a result, up to a limit', async () => {
    const fn = vi.fn(double)
    for await (const _ of map(fn, countUp([]), { concurrency: 2 })) {
      await vi.waitFor(() => expect(fn).toHaveBeenCalledTimes(8 + 1))
      break
    }
  })

  test('a slow call holds back later results, but not without limit', async () => {
    const { fn, started, open } = createGate()
    const results = Promise.resolve(map(fn, countUp([], 100), { concurrency: 2 }))
    await vi.waitFor(() => expect(started).toEqual([0, 1]))
    for (let n = 1; n < 8; n += 1) {
      open(n)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(started).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    for (let n = 0; n < 100; n += 1) {
      while (!started.includes(n)) await new Promise((resolve) => setImmediate(resolve))
      open(n)
    }
    expect(await results).toHaveLength(100)
  })
})

describe('failures', () => {
  const odd = async (n: number) => {
    if (n % 2 === 1) throw new RangeError(`odd ${n}`)
    return n
  }

  test('the first ends the map and closes the source', async () => {
    const read: number[] = []
    await expect(map(odd, countUp(read))).rejects.toThrow('odd 1')
    expect(read.at(-1)).toBe(-1)
    await expect(forEach(odd, [1])).rejects.toThrow('odd 1')
  })

  test('onError: return puts an outcome in each place', async () => {
    expect(await map(odd, [0, 1, 2], { onError: 'return' })).toEqual([
      { status: 'fulfilled', index: 0, value: 0 },
      { status: 'rejected', index: 1, reason: new RangeError('odd 1') },
      { status: 'fulfilled', index: 2, value: 2 },
    ])
  })

  test('onError: skip leaves them out', async () => {
    expect(await map(odd, [0, 1, 2, 3, 4], { onError: 'skip' })).toEqual([0, 2, 4])
    expect(await map(odd, [1, 3], { onError: 'skip' })).toEqual([])
  })

  test('more than maxFailures end it, with the index of each', async () => {
    const options = { onError: 'skip', maxFailures: 2, concurrency: 1 } as const
    const error: unknown = await map(odd, countUp([]), options).catch((thrown) => thrown)
    expect(error).toBeInstanceOf(MapFailedError)
    expect(error).toBeInstanceOf(AggregateError)
    expect(error).toMatchObject({ failures: [{ index: 1 }, { index: 3 }, { index: 5 }], errors: { length: 3 } })
    expect(error).toMatchObject({ code: 'TOO_MANY_FAILURES', message: expect.stringContaining('[1] odd 1') })
  })

  test('a source that throws ends the map', async () => {
    function* broken() {
      yield 1
      throw new Error('source')
    }
    await expect(map(double, broken())).rejects.toThrow('source')
  })

  test('the error of a source that cannot be closed does not hide the first one', async () => {
    const warned = new Promise((resolve) => process.once('warning', resolve))
    const inputs = {
      next: () => ({ done: false, value: 1 }),
      return: () => {
        throw new Error('cannot close')
      },
    }
    const stubborn = { [Symbol.iterator]: () => inputs }
    await expect(map(odd, stubborn)).rejects.toThrow('odd 1')
    expect(await warned).toMatchObject({ message: 'cannot close' })
  })

  test('an error says where the map was called', async () => {
    const stack = await map(odd, [1]).catch((error: unknown) => (error instanceof Error ? error.stack : ''))
    expect(stack).toMatch(/RangeError: odd 1\n[\s\S]*map\.test\.ts/)
  })

  test('a function that throws at once, or is not async, is a failed call', async () => {
    const sync = (n: number) => {
      if (n === 1) throw new Error('sync')
      return n
    }
    expect(await map(sync, [0, 1, 2], { onError: 'skip' })).toEqual([0, 2])
  })

  test('options are checked', () => {
    const wrong = JSON.parse('{"concurency":1}')
    expect(() => map(double, [], wrong)).toThrow(expect.objectContaining({ code: 'OPTION_UNKNOWN' }))
    expect(() => map(double, [], { concurrency: 0 })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
    expect(() => lift(double, { timeoutMs: -1 })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })
})

describe('retries', () => {
  function failing(times: number, error: () => Error) {
    let left = times
    return vi.fn(async (n: number) => {
      if (left-- > 0) throw error()
      return n
    })
  }
  const soon = { retryDelayMs: 1 }

  test('are off for ordinary errors', async () => {
    const fn = failing(1, () => new Error('once'))
    await expect(map(fn, [1])).rejects.toThrow('once')
    expect(fn).toHaveBeenCalledTimes(1)
  })

  test('are made as often as asked', async () => {
    expect(
      await map(
        failing(2, () => new Error('twice')),
        [1],
        { ...soon, retries: 2 },
      ),
    ).toEqual([1])
    await expect(
      map(
        failing(3, () => new Error('thrice')),
        [1],
        { ...soon, retries: 2 },
      ),
    ).rejects.toThrow('thrice')
    expect(
      await lift(
        failing(2, () => new Error('twice')),
        { ...soon, retries: 2 },
      )(1),
    ).toBe(1)
  })

  test('are made for a RetryableError, and never for a FatalError', async () => {
    expect(
      await map(
        failing(3, () => new RetryableError('again', { retryAfterMs: 0 })),
        [1],
      ),
    ).toEqual([1])
    const fatal = failing(1, () => new FatalError('never'))
    await expect(map(fatal, [1], { ...soon, retries: 5 })).rejects.toThrow('never')
    expect(fatal).toHaveBeenCalledTimes(1)
  })

  test('instanceof holds by name', () => {
    const remote = Object.assign(new Error('from afar'), { name: 'FatalError' })
    expect(remote).toBeInstanceOf(FatalError)
    expect(remote).not.toBeInstanceOf(RetryableError)
    expect(new RetryableError('x').name).toBe('RetryableError')
  })
})

describe('signals', () => {
  test('end the map with their reason', async () => {
    const { fn, started } = createGate()
    const read: number[] = []
    const controller = new AbortController()
    const results = Promise.resolve(map(fn, countUp(read), { signal: controller.signal, concurrency: 4 }))
    await vi.waitFor(() => expect(started).toHaveLength(4))
    controller.abort(new Error('enough'))
    await expect(results).rejects.toThrow('enough')
    expect(read.at(-1)).toBe(-1)
  })

  test('that are aborted before make no call', async () => {
    const fn = vi.fn(double)
    await expect(map(fn, [1], { signal: AbortSignal.abort() })).rejects.toThrow('aborted')
    expect(fn).not.toHaveBeenCalled()
  })

  test('end the wait before a retry', async () => {
    const controller = new AbortController()
    const fn = vi.fn(async (n: number) => {
      setImmediate(() => controller.abort(new Error('enough')))
      throw new Error(`again ${n}`)
    })
    await expect(lift(fn, { retries: 1, retryDelayMs: 1e8, signal: controller.signal })(1)).rejects.toThrow('enough')
    expect(fn).toHaveBeenCalledTimes(1)
  })
})
