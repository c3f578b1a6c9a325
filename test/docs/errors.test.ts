import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

// A code stands where an error is made, or in a table of known reasons that ends in one place.
const CODE = /(?:[Ee]rror\(\s*|warning\)?\(\s*|code: |code = |\?\? )'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)'/g

async function readSources(): Promise<string[]> {
  const folder = join(root, 'packages')
  const names = await readdir(folder, { recursive: true })
  const isSource = (name: string) => /^[^/]+\/src\/.*(?<!\.test)\.ts$/.test(name)
  return await Promise.all(names.filter(isSource).map((name) => readFile(join(folder, name), 'utf8')))
}

async function readHeadings(): Promise<string[]> {
  const page = await readFile(join(root, 'docs/errors.md'), 'utf8')
  return [...page.matchAll(/^## (.+)$/gm)].map(([, heading = '']) => heading)
}

test('every code has a heading in docs/errors.md, and every heading a code', async () => {
  const codes = (await readSources()).flatMap((source) => [...source.matchAll(CODE)].map(([, code = '']) => code))
  const headings = await readHeadings()
  expect(codes.length).toBeGreaterThan(30)
  expect({ codes: [...new Set(codes)].toSorted() }).toEqual({ codes: headings.toSorted() })
})

test('the headings are in alphabetical order, each once', async () => {
  const headings = await readHeadings()
  expect(headings).toEqual([...new Set(headings)].toSorted())
})
