import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { rolldown } from 'rolldown'
import { rollup } from 'rollup'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { toOutputOptions, toWorkerFiles } from './bundle/output.ts'
import type { OutputItem } from './bundle/output.ts'
import { findPackages, hashFunctions } from './code-hash.ts'

const SOURCES = {
  'functions.js': `export const functions = {
    "a.ts#f": () => import('./a.js').then((m) => m.f),
    "a.ts#g": () => import('./a.js').then((m) => m.g),
    "b ü.ts#h": () => import('./b.js').then((m) => m.h) }`,
  'a.js': `import { deep } from './shared.js'\nexport const f = () => deep(1)\nexport const g = () => 2`,
  'b.js': `import { deep } from './shared.js'\nexport const h = () => deep(3)`,
  'shared.js': `import { deepest } from './deepest.js'\nexport const deep = (n) => deepest(n) + 1`,
  'deepest.js': `export const deepest = (n) => n`,
  'late.js': `export const late = 1`,
}

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'turbolift-hash-'))
})
afterAll(() => rm(root, { recursive: true }))

type Build = (input: string) => Promise<readonly OutputItem[]>

const bundlers: Readonly<Record<string, Build>> = {
  rollup: async (input) => {
    const bundle = await rollup({ input: { functions: input } })
    return (await bundle.generate(toOutputOptions(root))).output
  },
  rolldown: async (input) => {
    const bundle = await rolldown({ input: { functions: input } })
    return (await bundle.generate(toOutputOptions(root))).output
  },
  'rolldown, minified': async (input) => {
    const bundle = await rolldown({ input: { functions: input } })
    return (await bundle.generate({ ...toOutputOptions(root), minify: true })).output
  },
}

describe.each(Object.keys(bundlers))('%s', (name) => {
  async function hash(changed: Partial<typeof SOURCES> = {}) {
    const folder = join(root, 'src')
    await mkdir(folder, { recursive: true })
    for (const [file, text] of Object.entries({ ...SOURCES, ...changed })) await writeFile(join(folder, file), text)
    return hashFunctions(toWorkerFiles((await bundlers[name]?.(join(folder, 'functions.js'))) ?? []))
  }

  test('every function has a hash, the same for the same code', async () => {
    const hashes = await hash()
    expect([...hashes.keys()]).toEqual(['a.ts#f', 'a.ts#g', 'b ü.ts#h'])
    expect(await hash()).toEqual(hashes)
    expect(hashes.get('a.ts#f')).not.toBe(hashes.get('b ü.ts#h'))
  })

  test('it changes with its own module and not with others', async () => {
    const before = await hash()
    const after = await hash({ 'b.js': `${SOURCES['b.js']} + 1` })
    expect(after.get('a.ts#f')).toBe(before.get('a.ts#f'))
    expect(after.get('b ü.ts#h')).not.toBe(before.get('b ü.ts#h'))
  })

  test('it changes with what is imported at any depth', async () => {
    const before = await hash()
    const after = await hash({ 'deepest.js': `export const deepest = (n) => -n` })
    for (const id of before.keys()) expect(after.get(id)).not.toBe(before.get(id))
  })

  test('it changes with what is imported dynamically', async () => {
    const withLate = { 'b.js': `export const h = async () => (await import('./late.js')).late` }
    const before = await hash(withLate)
    const after = await hash({ ...withLate, 'late.js': 'export const late = 2' })
    expect(after.get('b ü.ts#h')).not.toBe(before.get('b ü.ts#h'))
  })
})

test('packages outside are known for each function, at any depth, and those of others are not', () => {
  const files = [
    {
      path: 'functions.js',
      content: `export const functions = {
  "a.ts#f": () => import("./chunks/a-1.js").then((m) => m.f),
  "b.ts#g": () => import("./chunks/b-2.js").then((m) => m.g),
}`,
    },
    { path: 'chunks/a-1.js', content: `import { x } from './shared-3.js'\nexport const f = () => x` },
    { path: 'chunks/b-2.js', content: `export const g = () => import('sharp-ish')` },
    { path: 'chunks/shared-3.js', content: `import sharp from "sharp"\nconst y = require(\`@scope/engine/sub\`)` },
  ]
  const found = findPackages(files, ['sharp', '@scope/engine', 'other', 'sharp-ish'])
  expect([...found]).toEqual([
    ['a.ts#f', ['@scope/engine', 'sharp']],
    ['b.ts#g', ['sharp-ish']],
  ])
})
