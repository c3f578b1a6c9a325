import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { createScreen } from '../../test/screen.ts'
import { events } from './events.ts'
import type { MapCounts } from './events.ts'
import { createProgress, isLiveTerminal } from './progress.ts'
import type { Progress } from './progress.ts'

let nowMs = 0
let progress: Progress | undefined
beforeEach(() => {
  nowMs = 0
  // Drawn by hand here, at times of the tests' choosing.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})
afterEach(() => {
  progress?.[Symbol.dispose]()
  vi.useRealTimers()
})

type Writable<T> = { -readonly [K in keyof T]: T[K] }

function startMap(name = 'square', total: number | null = 10_000, mapId = 1): Writable<MapCounts> {
  const counts = { total: total ?? undefined, inFlight: 0, done: 0, failed: 0, cached: 0 }
  events['map:started'].emit({ mapId, functionId: `src/main.ts#${name}`, pool: 'default', counts })
  return counts
}

function endMap(counts: MapCounts, { error, mapId = 1 }: { error?: unknown; mapId?: number } = {}): void {
  const functionId = 'src/main.ts#square'
  events['map:ended'].emit({ mapId, functionId, pool: 'default', counts, durationMs: nowMs, error })
}

function step(ms: number): void {
  nowMs += ms
  progress?.refresh()
}

function show({ columns = 120, isLive = true, hasColors = false } = {}) {
  const screen = createScreen({ columns, hasColors })
  const [stderr, stdout] = [screen.createStream(), screen.createStream()]
  progress = createProgress({ stream: stderr, others: [stdout], isLive, now: () => nowMs })
  return { screen, stdout, stderr }
}

test('a line shows done, failed, in flight, workers, rate and time left, and ends as a summary', async () => {
  const { screen } = show()
  for (const workerId of ['w1', 'w2']) events['worker:ready'].emit({ workerId, pool: 'default' })
  const counts = startMap()
  step(1000)
  Object.assign(counts, { done: 4000, failed: 3, inFlight: 8 })
  step(1000)
  const during = await screen.read()
  Object.assign(counts, { done: 9997, inFlight: 0 })
  step(1000)
  endMap(counts)
  for (const workerId of ['w1', 'w2']) events['worker:gone'].emit({ workerId, pool: 'default', error: undefined })
  expect(during).toEqual([
    'square ━━━━━━━━──────────── 4,003/10,000 40 % · 3 failed · 8 in flight · 2 workers · 2,002/s · 3.0 s left',
  ])
  expect(await screen.read()).toEqual(['square: 9,997 done in 3.0 s, 3,333/s, 3 failed'])
})

test('what the program prints stays whole, above the line', async () => {
  const { screen, stdout, stderr } = show({ columns: 60 })
  const counts = startMap()
  for (let done = 0; done < 50; done++) {
    counts.done = done
    step(100)
    if (done % 10 === 0) stdout.write(`result ${done}\n`)
    if (done % 25 === 0) stderr.write(`w1 | log ${done}\n`)
  }
  const lines = await screen.read()
  expect(lines.slice(0, -1)).toEqual([
    'result 0',
    'w1 | log 0',
    'result 10',
    'result 20',
    'w1 | log 25',
    'result 30',
    'result 40',
  ])
  expect(lines.at(-1)).toMatch(/^square .*49\/10,000 0 %/)
})

test('an open line of the program, a prompt or its own progress bar, is left alone', async () => {
  const { screen, stdout } = show()
  const counts = startMap()
  step(1500)
  stdout.write('continue? ')
  counts.done = 5
  step(500)
  const during = await screen.read()
  endMap(counts)
  const after = await screen.read()
  expect(during).toEqual(['continue? '])
  expect(after).toEqual(['continue? ', 'square: 5 done in 2.0 s, 2.5/s'])
})

test('several maps have a line each; beyond five they are counted', async () => {
  const { screen } = show()
  const all = [1, 2, 3, 4, 5, 6, 7].map((mapId) => startMap(`f${mapId}`, 10, mapId))
  step(1200)
  const during = await screen.read()
  for (const [index, counts] of all.entries()) endMap(counts, { mapId: index + 1 })
  expect(during.map((line) => line.split(' ')[0])).toEqual(['f1', 'f2', 'f3', 'f4', 'f5', '…'])
  expect(during.at(-1)).toBe('… and 2 more')
  expect(await screen.read()).toHaveLength(7)
})

test.each([20, 30, 40, 60, 80, 200])('%i columns are enough, and the line never wraps', async (columns) => {
  const { screen } = show({ columns })
  const counts = startMap('aFunctionWithALongName', 1_000_000)
  Object.assign(counts, { done: 123_456, failed: 789, inFlight: 64, cached: 1000 })
  step(1100)
  step(1000)
  const lines = await screen.read()
  expect(lines).toHaveLength(1)
  expect(lines[0]?.length).toBeLessThan(columns)
})

test('colors only where the terminal has them', () => {
  for (const hasColors of [true, false]) {
    const { screen } = show({ hasColors })
    startMap().done = 100
    step(1100)
    expect(screen.written.includes('\u001B[32m')).toBe(hasColors)
    progress?.[Symbol.dispose]()
  }
})

test('quiet lines: after a second, at each tenth, after thirty seconds of nothing, at the end', async () => {
  const { screen } = show({ isLive: false })
  const counts = startMap('square', 100)
  for (counts.done = 0; counts.done < 20; counts.done++) step(500)
  step(29_000)
  step(30_000)
  counts.done = 100
  endMap(counts)
  const lines = await screen.read()
  expect(lines.map((line) => line.replace(/, .*/, ''))).toEqual([
    'turbolift: square: 1/100 1 %',
    'turbolift: square: 10/100 10 %',
    'turbolift: square: 20/100 20 %',
    'turbolift: square: 20/100 20 %',
    'turbolift: square: 100 done in 1 min 09 s',
  ])
  expect(screen.written).not.toContain('\u001B')
})

test('a map that is done within a second says nothing, and leaves the streams as they were', () => {
  const { screen, stderr } = show()
  const counts = startMap()
  step(900)
  endMap(counts)
  expect(screen.written).toBe('')
  stderr.write('the program goes on\n')
  expect(screen.written).toBe('the program goes on\n')
})

test('a source without a known length has a count instead of a share', async () => {
  const { screen } = show()
  startMap('square', null).done = 1234
  step(1100)
  expect(await screen.read()).toEqual(['square 1,234 done · 0 in flight · 0 workers · 1,122/s'])
})

test('lines are drawn over only in a terminal that can, and not in CI', () => {
  const terminal = createScreen({ columns: 80 }).createStream()
  const pipe = Object.assign(createScreen({ columns: 80 }).createStream(), { isTTY: false })
  expect(isLiveTerminal(terminal, {})).toBe(true)
  expect(isLiveTerminal(terminal, { CI: 'true' })).toBe(false)
  expect(isLiveTerminal(terminal, { TERM: 'dumb' })).toBe(false)
  expect(isLiveTerminal(pipe, {})).toBe(false)
})
