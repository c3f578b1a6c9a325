import { expect, test } from 'vitest'

import { toTable } from './cli/text-table.ts'
import { parseStatus, toRequestError } from './deploy/client/errors.ts'
import { DeployError } from './errors.ts'
import { toVisibleLine, toVisibleText } from './visible-text.ts'

test.each([
  ['a title of the window', 'a\u001B]0;TITLE\u0007b', 'a\\u001b]0;TITLE\\u0007b'],
  ['a line that is cleared', 'a\u001B[2K\rb', 'a\\u001b[2K\\u000db'],
  ['the 8-bit form', 'a\u009B2Kb\u007F', 'a\\u009b2Kb\\u007f'],
  ['letters in another order', 'a\u202Etxt.exe\u2066', 'a\\u202etxt.exe\\u2066'],
  ['colours', '\u001B[1;31merror\u001B[0m', 'error'],
  ['lines, tabs, other scripts and signs', 'a\r\n\tb 日本語 é 👩‍🚀', 'a\n\tb 日本語 é 👩‍🚀'],
])('%s', (_, text, shown) => {
  expect(toVisibleText(text)).toBe(shown)
})

test('one line stays one line', () => {
  expect(toVisibleLine('h\n  RUN2 renders\r\nx')).toBe('h RUN2 renders x')
  expect(
    toTable([
      ['RUN', 'BY'],
      ['a', 'h\nRUN2  forged \u001B[2K'],
    ]),
  ).toBe('RUN  BY\na    h RUN2  forged \\u001b[2K')
})

test('text in JSON stays JSON of the same value', () => {
  const value = { by: 'a\u009B2K\u007F\u001B[31m' }
  expect(JSON.parse(toVisibleText(JSON.stringify(value)))).toEqual(value)
})

test('errors hold nothing that a terminal obeys, wherever their words are from', () => {
  const words = 'denied\u001B]0;TITLE\u0007'
  const status = parseStatus(403, JSON.stringify({ reason: 'Forbidden', message: words }), undefined)
  const errors = [
    new DeployError('X', { what: words, why: words, fix: words }),
    toRequestError({ request: 'GET /', status, attempts: 1 }),
  ]
  for (const error of errors) expect(`${error.stack} ${JSON.stringify(error.explanation)}`).not.toContain('\u001B')
  expect(status.message).toBe('denied\\u001b]0;TITLE\\u0007')
})
