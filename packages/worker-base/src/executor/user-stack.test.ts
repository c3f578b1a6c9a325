import { expect, test } from 'vitest'

import { toUserStack } from './user-stack.ts'

const folder = 'file:///var/code/abc/'

function withStack<Thrown extends Error>(error: Thrown, ...frames: readonly string[]): Thrown {
  error.stack = [`${error.name}: ${error.message}`, ...frames.map((frame) => `    at ${frame}`)].join('\n')
  return error
}

test('names sources from the root, and leaves out the frames of the executor', () => {
  const own = `run (${import.meta.url.replace('user-stack.test.ts', 'user-stack.ts')}:1:2)`
  const error = withStack(
    new RangeError('no'),
    'work (/var/code/abc/chunks/src/work.ts:5:9)',
    'late (file:///var/code/abc/functions.js:1:2)',
    'AsyncLocalStorage.run (node:async_hooks:346:14)',
    own,
    'other (/home/me/other.js:3:4)',
  )
  toUserStack(error, folder)
  expect(error.stack).toBe(
    'RangeError: no\n    at work (src/work.ts:5:9)\n    at late (functions.js:1:2)\n    at other (/home/me/other.js:3:4)',
  )
})

test('does so for causes and gathered errors, also when they go round in circles', () => {
  const inner = withStack(new Error('inner'), 'a (/var/code/abc/chunks/src/a.ts:1:1)')
  const gathered = withStack(new Error('gathered'), 'b (/var/code/abc/chunks/src/b.ts:1:1)')
  const outer = new AggregateError([gathered], 'outer', { cause: inner })
  inner.cause = outer
  toUserStack(outer, folder)
  expect(inner.stack).toBe('Error: inner\n    at a (src/a.ts:1:1)')
  expect(gathered.stack).toBe('Error: gathered\n    at b (src/b.ts:1:1)')
})

test('leaves a message as it is, and what is no error', () => {
  const error = withStack(new Error('see /var/code/abc/chunks/src/a.ts'), 'a (/var/code/abc/chunks/src/a.ts:1:1)')
  toUserStack(error, folder)
  expect(error.stack).toBe('Error: see /var/code/abc/chunks/src/a.ts\n    at a (src/a.ts:1:1)')
  expect(toUserStack('text', folder)).toBe('text')
})
