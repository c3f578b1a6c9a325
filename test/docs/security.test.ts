import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What the page claims, one claim for each item of a list, with the tests that hold it. */
async function readClaims() {
  const page = await readFile(join(root, 'docs/security.md'), 'utf8')
  return page
    .split(/^(?=- |#|$)/m)
    .filter((part) => part.startsWith('- '))
    .map((text) => ({
      name: text.slice(2, 80).replaceAll('\n', ' '),
      tests: [...text.matchAll(/<!-- test: (\S+) "([^"]+)" -->/g)].map(([, path = '', title = '']) => ({
        path,
        title,
      })),
    }))
}

test('every claim of docs/security.md names a test', async () => {
  const claims = await readClaims()
  expect(claims.length).toBeGreaterThan(20)
  expect(claims.filter(({ tests }) => tests.length === 0).map(({ name }) => name)).toEqual([])
})

test('each of these tests is there, by that title', async () => {
  const named = (await readClaims()).flatMap(({ tests }) => tests)
  const missing = await Promise.all(
    named.map(async ({ path, title }) => {
      const source = await readFile(join(root, path), 'utf8').catch(() => '')
      return source.includes(title) ? [] : [`${path} "${title}"`]
    }),
  )
  expect(missing.flat()).toEqual([])
})
