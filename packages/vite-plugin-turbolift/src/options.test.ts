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

test.each(['use lift;', 'use lift.', 'use lif t', 'use lift ', 'uselift', 'use l1ft', 'use lift!: heavy', 'Use Lift'])(
  'a module with "%s" is parsed, so that the slip is told',
  (text) => {
    expect(resolveOptions({}).concerns(`async function f() { '${text}' }`, '/src/a.ts')).toBe(true)
    expect(resolveOptions({}).concerns(`async function f() { "${text}" }`, '/src/a.ts')).toBe(true)
  },
)

test('options that nothing reads, and values of no use, are refused before a build begins', () => {
  const resolve = (text: string) => () => resolveOptions(JSON.parse(text))
  expect(resolve('{ "maxReplica": 2 }')).toThrow(/no option "maxReplica"[\s\S]*Did you mean "maxReplicas"/)
  expect(resolve('{ "pools": { "big": { "concurrency": "two" } } }')).toThrow(/pools: { big: { concurrency/)
  expect(resolve('{ "maxReplicas": 2, "typecheck": false }')).not.toThrow()
})

test('a sentence that begins like a directive is none', () => {
  const message = `const fix = "Use letters, digits and underscores.", other = 'x'`
  expect(resolveOptions({}).concerns(message, '/src/a.ts')).toBe(false)
})

test('include and exclude say which modules may have lifted functions', () => {
  expect(resolveOptions({ include: '**/jobs/**' }).concerns(lifted, '/src/jobs/a.ts')).toBe(true)
  expect(resolveOptions({ include: '**/jobs/**' }).concerns(lifted, '/src/a.ts')).toBe(false)
  expect(resolveOptions({ exclude: /vendor/ }).concerns(lifted, '/src/vendor/a.ts')).toBe(false)
})

test('options of the run are kept apart from those of the build', () => {
  const { run, pools, typecheck, report, external } = resolveOptions({
    typecheck: false,
    external: ['pdfkit'],
    report: 'a.md',
    target: 'inline',
    pools: { big: {} },
  })
  expect(run).toEqual({ target: 'inline', pools: { big: {} } })
  expect([pools, typecheck, report, [...external]]).toEqual([['big'], false, 'a.md', ['pdfkit']])
})
