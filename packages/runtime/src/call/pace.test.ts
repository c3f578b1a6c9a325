import { expect, test } from 'vitest'

import { Pace } from './pace.ts'

test('sends nothing ahead before anything is known', () => {
  expect(new Pace().ahead).toBe(0)
})

test('sends many tiny calls ahead, a few short ones, and no long ones', () => {
  const ahead = (callMs: number) => {
    const pace = new Pace()
    pace.start(0)
    for (let turn = 1; turn <= 20; turn += 1) pace.record({ answers: 1, slots: 1, nowMs: turn * callMs })
    return pace.ahead
  }
  expect(ahead(0.01)).toBe(128)
  expect(ahead(1)).toBe(40)
  expect(ahead(10)).toBe(4)
  expect(ahead(100)).toBe(1)
  expect(ahead(1000)).toBe(0)
})

test('several slots work at the same time', () => {
  const pace = new Pace()
  pace.start(0)
  pace.record({ answers: 4, slots: 4, nowMs: 10 })
  expect(pace.averageMs).toBe(10)
})

test('idle time is not counted', () => {
  const pace = new Pace()
  pace.start(0)
  pace.record({ answers: 1, slots: 1, nowMs: 1 })
  pace.start(1_000_000)
  pace.record({ answers: 1, slots: 1, nowMs: 1_000_001 })
  expect(pace.averageMs).toBe(1)
})
