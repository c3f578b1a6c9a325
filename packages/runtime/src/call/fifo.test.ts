import { expect, test } from 'vitest'

import { Fifo } from './fifo.ts'

test('gives back in order; what was put back comes first', () => {
  const fifo = new Fifo<number>()
  for (let n = 0; n < 5; n += 1) fifo.push(n)
  expect([fifo.shift(), fifo.shift()]).toEqual([0, 1])
  fifo.unshift([0, 1])
  expect(fifo.size).toBe(5)
  expect(fifo.peek()).toBe(0)
  fifo.push(5)
  const rest: (number | undefined)[] = []
  while (fifo.size > 0) rest.push(fifo.shift())
  expect(rest).toEqual([0, 1, 2, 3, 4, 5])
  expect([fifo.shift(), fifo.peek()]).toEqual([undefined, undefined])
})

test('a queue that is used for long does not grow', () => {
  const fifo = new Fifo<number>()
  let [pushed, shifted] = [0, 0]
  for (let turn = 0; turn < 100_000; turn += 1) {
    fifo.push(pushed++)
    fifo.push(pushed++)
    expect(fifo.shift()).toBe(shifted++)
    if (fifo.size > 3000) while (fifo.size > 0) expect(fifo.shift()).toBe(shifted++)
  }
  expect(fifo.size).toBe(pushed - shifted)
})

test('what is taken out of the middle is not there any more, however much it is', () => {
  const fifo = new Fifo<number>()
  for (let n = 0; n < 1000; n += 1) fifo.push(n)
  fifo.unshift([-2, -1])
  fifo.delete(-2)
  for (let n = 0; n < 1000; n += 1) if (n % 10 !== 3) fifo.delete(n)
  expect(fifo.size).toBe(101)
  expect([fifo.peek(), fifo.shift(), fifo.shift(), fifo.shift()]).toEqual([-1, -1, 3, 13])
  expect([fifo.clear().length, fifo.size, fifo.peek()]).toEqual([98, 0, undefined])
})
