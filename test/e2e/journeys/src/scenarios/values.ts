import { inspect } from 'node:util'

class OrderError extends Error {
  override name = 'OrderError'
  readonly orderId: number
  constructor(orderId: number, options: ErrorOptions) {
    super(`order ${orderId} failed`, options)
    this.orderId = orderId
  }
}

async function failDeep(orderId: number): Promise<void> {
  'use lift'
  throw new OrderError(orderId, { cause: new TypeError('price is not a number') })
}

async function throwValue(): Promise<void> {
  'use lift'
  throw { reason: 'not an Error' }
}

async function talk(word: string): Promise<void> {
  'use lift'
  console.log('%s to stdout', word)
  console.error('%s to stderr', word)
}

async function echo<T>(value: T): Promise<T> {
  'use lift'
  return value
}

export async function remoteError(): Promise<void> {
  try {
    await failDeep(42)
  } catch (error) {
    console.log(inspect(error))
  }
}

export async function remoteValue(): Promise<void> {
  try {
    await throwValue()
  } catch (error) {
    console.log(error)
  }
}

export async function remoteOutput(): Promise<void> {
  await talk('hello')
}

/** Values that JSON would lose or bend, there and back. */
export async function values(): Promise<void> {
  const shared = { name: 'shared' }
  const cycle: { self?: unknown } = {}
  cycle.self = cycle
  const value = {
    date: new Date(0),
    map: new Map<unknown, unknown>([[1, new Set(['a'])]]),
    big: 2n ** 70n,
    pattern: /a+/gi,
    url: new URL('https://example.com/?q=1'),
    bytes: new Uint8Array([0, 255]),
    floats: new Float64Array([0.1, -0]),
    missing: undefined,
    minusZero: -0,
    notANumber: Number.NaN,
    infinite: -Infinity,
    list: [shared, shared],
    cycle,
  }
  const answer = await echo(value)
  console.log(inspect(answer, { depth: 5, sorted: true }))
  console.log(answer.list[0] === answer.list[1], answer.cycle.self === answer.cycle)
}
