import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import { expect, test } from 'vitest'

import { events, on } from './events.ts'
import type { LogLine, Timed } from './events.ts'

const line: LogLine = { workerId: 'w1', stream: 'stdout', line: 'hello' }

test('a channel is heard exactly while somebody listens', () => {
  const channel = events['log:line']
  const before = channel.isHeard
  const stop = on('log:line', () => undefined)
  const during = channel.isHeard
  stop()
  stop()
  expect([before, during, channel.isHeard]).toEqual([false, true, false])
})

test('a listener gets the event with the time it happened', () => {
  const heard: Timed<LogLine>[] = []
  const stop = on('log:line', (event) => heard.push(event))
  const earliest = performance.timeOrigin + performance.now()
  events['log:line'].emit({ ...line })
  stop()
  events['log:line'].emit({ ...line })
  expect(heard).toEqual([{ ...line, at: expect.any(Number) }])
  expect(heard[0]?.at).toBeGreaterThanOrEqual(earliest)
})

test('an agent that knows only the name of the channel hears it too', () => {
  const heard: unknown[] = []
  const hear = (event: unknown) => heard.push(event)
  subscribe('turbolift:log:line', hear)
  events['log:line'].emit({ ...line })
  unsubscribe('turbolift:log:line', hear)
  expect(heard).toHaveLength(1)
})

test('an event that there is not, and a listener that cannot be called, are refused', () => {
  const listen = (...args: readonly unknown[]) => Reflect.apply(on, undefined, args)
  expect(() => listen('call:dne', () => undefined)).toThrow(/call:done/)
  expect(() => listen('call:done', 5)).toThrow(/function/)
})
