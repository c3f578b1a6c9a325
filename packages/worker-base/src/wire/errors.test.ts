import { describe, expect, it } from 'vitest'

import { RemoteError } from './remote-error.ts'
import { decodeError, decodeValue, encodeError, encodeValue } from './values.ts'

class HttpError extends Error {
  override name = 'HttpError'
  readonly status = 404
  readonly headers: Map<string, string> = new Map([['a', 'b']])
  readonly retry = (): void => {}
}

describe('errors', () => {
  const classes = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]

  it.each(classes.map((Class) => [Class.name, Class] as const))('%s keeps its class', (_name, Class) => {
    const error = Object.assign(new Class('message', { cause: new Class('cause') }), { code: 'E_CODE', data: [1n] })
    const received = decodeError(encodeError(error))
    expect(Object.getPrototypeOf(received)).toBe(Class.prototype)
    expect(received).toStrictEqual(error)
    expect(received).toMatchObject({ name: error.name, stack: error.stack, cause: { message: 'cause' } })
  })

  it('keeps the errors of an AggregateError', () => {
    const received = decodeError(encodeError(new AggregateError([new TypeError('a'), 'b'], 'both')))
    expect(received).toBeInstanceOf(AggregateError)
    expect(received).toMatchObject({ message: 'both', errors: [expect.any(TypeError), 'b'] })
  })

  it('keeps errors of Node and of the web', async () => {
    const missing = await import('node:fs/promises')
      .then((fs) => fs.readFile('/does/not/exist'))
      .catch((e: unknown) => e)
    const invalid = catchError(() => Buffer.from(Object(1)))
    const abort = new DOMException('stop', 'AbortError')
    expect(decodeError(encodeError(missing))).toMatchObject({ code: 'ENOENT', syscall: 'open', errno: -2 })
    expect(decodeError(encodeError(invalid))).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
    expect(decodeError(encodeError(invalid))).toBeInstanceOf(TypeError)
    expect(decodeError(encodeError(abort))).toBeInstanceOf(DOMException)
    expect(decodeError(encodeError(abort))).toMatchObject({ name: 'AbortError', message: 'stop', stack: abort.stack })
  })

  it('makes a RemoteError of other classes and marks what was not sent', () => {
    const received = decodeError(encodeError(new HttpError('gone', { cause: { why: 'moved' } })))
    expect(received).toBeInstanceOf(RemoteError)
    expect(received).toMatchObject({
      name: 'HttpError',
      message: 'gone',
      remoteClass: 'HttpError',
      code: 'REMOTE_ERROR',
      status: 404,
      headers: new Map([['a', 'b']]),
      cause: { why: 'moved' },
      notSent: ['retry: a function'],
    })
  })

  it('survives cycles through causes and fields', () => {
    const error: Error & { owner?: unknown } = new Error('round')
    error.cause = error
    error.owner = { error, name: 'owner' }
    const received = decodeError(encodeError(error))
    expect(received).toMatchObject({ message: 'round', owner: { name: 'owner' } })
    expect(Object(received).cause).toBe(received)
    expect(Object(received).owner.error).toBe(received)
  })

  it('carries long chains of causes', () => {
    let error = new Error('0')
    for (let depth = 1; depth < 100; depth += 1) error = new Error(String(depth), { cause: error })
    let received = decodeError(encodeError(error))
    for (let depth = 99; depth > 0; depth -= 1) received = Object(received).cause
    expect(received).toMatchObject({ message: '0' })
  })

  it('carries values that are no errors, and explains those that cannot be sent', () => {
    expect(decodeError(encodeError('just text'))).toBe('just text')
    expect(decodeError(encodeError(undefined))).toBe(undefined)
    expect(decodeError(encodeError({ status: 1n }))).toEqual({ status: 1n })
    expect(decodeError(encodeError(() => 1))).toMatchObject({
      message: 'What was thrown cannot be sent: it is a function.',
    })
  })

  it('carries errors as values, with their identity', async () => {
    const error = new RangeError('value')
    const received = Object(decodeValue(await encodeValue({ first: error, list: [error] })))
    expect(received.first).toBeInstanceOf(RangeError)
    expect(received.list[0]).toBe(received.first)
  })
})

function catchError(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return error
  }
}

describe('errors that user code made of anything', () => {
  const trip = (thrown: unknown): unknown => decodeError(encodeError(thrown))
  const withGetter = (key: string): Error =>
    Object.defineProperty(new TypeError('no pages'), key, {
      get() {
        throw new Error('not to be read')
      },
    })

  it.each(['stack', 'name', 'message', 'cause', 'code', 'constructor'])('a getter of %s that throws', (key) => {
    const received = trip(withGetter(key))
    expect(received).toBeInstanceOf(Error)
    if (key !== 'message') expect(received).toMatchObject({ message: 'no pages' })
    if (key !== 'constructor') expect(Object(received).notSent).toContain(`${key}: a value that throws when it is read`)
  })

  it('frozen ones, proxies, and bare objects', () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    expect(trip(Object.freeze(new SyntaxError('bad')))).toMatchObject({ name: 'SyntaxError', message: 'bad' })
    expect(trip(Object.create(null))).toEqual({})
    expect(trip(proxy)).toMatchObject({ message: expect.stringContaining('throws when it is read') })
    expect(trip({ status: 404, json: () => 1 })).toEqual({ status: 404, notSent: ['json: a function'] })
  })

  it('classes named as built-in ones, and fields that are getters of the built-in class', () => {
    class DOMException extends Error {
      readonly code = 20
    }
    class Quota extends globalThis.DOMException {
      override readonly code = 42
    }
    expect(trip(new DOMException('aborted'))).toMatchObject({
      remoteClass: 'DOMException',
      code: 20,
      message: 'aborted',
    })
    expect(trip(new Quota('too much', 'QuotaError'))).toMatchObject({ name: 'QuotaError', code: 42 })
    const coded = Object.defineProperty(new globalThis.DOMException('a', 'AbortError'), 'code', { value: 7 })
    expect(trip(coded)).toMatchObject({ name: 'AbortError', code: 7 })
  })

  it('lists of errors that are gone, and those of subclasses', () => {
    class AllFailed extends AggregateError {}
    expect(trip(Object.assign(new AggregateError([], 'all'), { errors: undefined }))).toMatchObject({ message: 'all' })
    const received = trip(new AllFailed([new RangeError('one'), () => 1], 'all failed'))
    expect(received).toMatchObject({ errors: [expect.any(RangeError), undefined], notSent: ['errors[1]: a function'] })
  })

  it('fields that are hidden, and those that hold what cannot be sent further in', () => {
    const zod = Object.defineProperties(new Error('invalid'), {
      issues: { value: [{ path: ['a'] }] },
      format: { value: () => 1 },
    })
    expect(trip(zod)).toMatchObject({ issues: [{ path: ['a'] }], notSent: ['format: a function'] })
    const request = trip(Object.assign(new Error('refused'), { config: { url: '/a', onDone: () => 1 } }))
    expect(request).toMatchObject({ config: { url: '/a' }, notSent: ['config.onDone: a function'] })
  })

  it('errors in fields of errors are sent once each', () => {
    let error: Error = new Error('level 0')
    for (let level = 1; level < 40; level += 1)
      error = Object.assign(new Error(`level ${level}`), { inner: error, again: error })
    const received = Object(trip(error))
    expect(received.inner).toBe(received.again)
    expect(received.inner.inner.message).toBe('level 37')
  })

  it('deep and large fields: the error arrives, and says what is missing', () => {
    let tree: object = {}
    for (let level = 0; level < 20_000; level += 1) tree = { tree }
    expect(trip(Object.assign(new Error('deep'), { tree }))).toMatchObject({
      message: 'deep',
      notSent: [expect.stringMatching(/^tree\.tree.*: nested too deeply$/)],
    })
    const large = 'é'.repeat(130 * 2 ** 20)
    expect(trip(Object.assign(new Error('large'), { large, code: 1 }))).toMatchObject({
      code: 1,
      notSent: ['large: too large'],
    })
    expect(Object(trip(new Error('é'.repeat(3_000_000)))).message).toMatch(/^é+… \(\d+ characters left out\) …é+$/)
  })

  it('stacks that are no text, and stacks that are mapped, wherever the error is', async () => {
    expect(trip(Object.assign(new Error('a'), { stack: [] }))).toMatchObject({ stack: 'Error: a' })
    const mapStack = (): string => 'mapped'
    const value = await encodeValue({ reason: new Error('a', { cause: new Error('b') }) }, 'result', { mapStack })
    expect(decodeValue(value)).toMatchObject({ reason: { stack: 'mapped', cause: { stack: 'mapped' } } })
  })

  it('what cannot be read comes as an error', () => {
    expect(decodeError({ format: 'devalue', text: '[["Error"]]', parts: [] })).toMatchObject({
      name: 'MalformedValueError',
    })
  })
})
