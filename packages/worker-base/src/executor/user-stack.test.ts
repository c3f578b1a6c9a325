import { expect, test } from 'vitest'

import { createStackMap } from './user-stack.ts'

const mapStack = createStackMap('file:///var/code/abc/')

function stackOf(head: string, ...frames: readonly string[]): string {
  return [head, ...frames.map((frame) => `    at ${frame}`)].join('\n')
}

test('names sources from the root, and leaves out the frames of the executor', () => {
  const own = `run (${import.meta.url.replace('user-stack.test.ts', 'user-stack.ts')}:1:2)`
  const stack = stackOf(
    'RangeError: no',
    'work (/var/code/abc/chunks/src/work.ts:5:9)',
    'late (file:///var/code/abc/functions.js:1:2)',
    'AsyncLocalStorage.run (node:async_hooks:346:14)',
    own,
    'other (/home/me/other.js:3:4)',
  )
  expect(mapStack(stack)).toBe(
    'RangeError: no\n    at work (src/work.ts:5:9)\n    at late (functions.js:1:2)\n    at other (/home/me/other.js:3:4)',
  )
})

test('leaves a message as it is', () => {
  const executor = import.meta.url.replace('user-stack.test.ts', 'user-stack.ts')
  const stack = stackOf(
    `Error: see /var/code/abc/chunks/src/a.ts\nand ${executor}`,
    'a (/var/code/abc/chunks/src/a.ts:1:1)',
  )
  expect(mapStack(stack)).toBe(stackOf(`Error: see /var/code/abc/chunks/src/a.ts\nand ${executor}`, 'a (src/a.ts:1:1)'))
})
