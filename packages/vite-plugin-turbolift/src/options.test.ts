import { expect, test } from 'vitest'

import { resolveOptions } from './options.ts'

const lifted = `async function f() { 'use lift' }`

test('modules without a sign of lifting are not parsed', () => {
  const { concerns } = resolveOptions({})
  expect(concerns('export const a = 1', '/src/a.ts')).toBe(false)
  expect(concerns(`'use strict'`, '/src/a.ts')).toBe(false)
  expect(concerns(lifted, '/src/a.ts')).toBe(true)
  expect(concerns(`function f() { 'use lfit' }`, '/src/a.ts')).toBe(true)
  expect(concerns('export const a = 1', '/src/a.lift.mts')).toBe(true)
})

test('include and exclude say which modules may have lifted functions', () => {
  expect(resolveOptions({ include: '**/jobs/**' }).concerns(lifted, '/src/jobs/a.ts')).toBe(true)
  expect(resolveOptions({ include: '**/jobs/**' }).concerns(lifted, '/src/a.ts')).toBe(false)
  expect(resolveOptions({ exclude: /vendor/ }).concerns(lifted, '/src/vendor/a.ts')).toBe(false)
})

test('options of the run are kept apart from those of the build', () => {
  const { run, pools, typecheck, report } = resolveOptions({
    typecheck: false,
    report: 'a.md',
    target: 'inline',
    pools: { big: {} },
  })
  expect(run).toEqual({ target: 'inline', pools: { big: {} } })
  expect([pools, typecheck, report]).toEqual([['big'], false, 'a.md'])
})
