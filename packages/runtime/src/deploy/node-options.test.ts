import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import { expect, test } from 'vitest'

import { toWorkerFlags, withoutInspector } from './node-options.ts'

test.each([
  [
    ['--expose-gc', '--max-old-space-size=300'],
    ['--expose-gc', '--max-old-space-size=300'],
  ],
  [
    ['--conditions', 'development', '-C', 'other', '--no-warnings'],
    ['--conditions', 'development', '-C', 'other', '--no-warnings'],
  ],
  [['--inspect', '--inspect-brk=0', '--inspect-port', '9230', '--expose-gc'], ['--expose-gc']],
  [['--eval', 'run()', '--input-type=module', '--expose-gc'], ['--expose-gc']],
  [['--watch', '--watch-path', './src', '--test', '--test-reporter', 'dot', '--expose-gc'], ['--expose-gc']],
  [['--env-file=.env', '--env-file-if-exists', 'other.env', '--cpu-prof', '--title=x'], []],
  [
    ['--import', './hooks.mjs'],
    ['--import', pathToFileURL(resolve('hooks.mjs')).href],
  ],
  [
    ['--import=tsx', '-r', '../early.cjs'],
    ['--import', 'tsx', '-r', resolve('../early.cjs')],
  ],
])('flags %j become those of a worker', (flags, expected) => {
  expect(toWorkerFlags(flags)).toEqual(expected)
})

test('debuggers of NODE_OPTIONS are for the program, all else is not', () => {
  expect(withoutInspector('--inspect-brk=0 --max-old-space-size=300 --inspect')).toBe('--max-old-space-size=300')
  expect(withoutInspector('--require ./my--inspect.cjs')).toBe('--require ./my--inspect.cjs')
})
