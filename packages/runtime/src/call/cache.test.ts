import { mkdtemp, open, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { decodeValue, encodeArguments, encodeValue } from '@turbolift/worker-base/wire'
import type { WireValue } from '@turbolift/worker-base/wire'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { openResultCache, toCacheKey } from './cache.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turbolift-cache-'))
})
afterEach(() => rm(folder, { recursive: true }))

const value = { when: new Date(0), bytes: Uint8Array.of(1, 2, 3), more: new Map([['a', 1n]]), text: 'ä€😀' }
const key = toCacheKey({ code: 'c1', liftId: 'src/main.ts#f', captures: 0, value: await encodeArguments([], [1]) })

async function oneArray(...data: number[]): Promise<WireValue> {
  return await encodeArguments([], [Uint8Array.from(data)])
}

async function entryPaths(): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

test('a kept result is read as it was, by another cache on the same folder', async () => {
  const cache = await openResultCache(folder)
  const before = await cache.read(key)
  await cache.write(key, await encodeValue(value))
  const found = await (await openResultCache(folder)).read(key)
  expect(before).toBeUndefined()
  expect(found && decodeValue(found)).toEqual(value)
})

test('the key changes with code, function, captures, each argument and each byte', async () => {
  const base = { code: 'c1', liftId: 'a.ts#f', captures: 0, value: await encodeArguments([], [1, 'x']) }
  const keys = [
    base,
    { ...base, code: 'c2' },
    { ...base, liftId: 'a.ts#g' },
    { ...base, captures: 1 },
    { ...base, value: await encodeArguments([], [1, 'y']) },
    { ...base, value: await encodeArguments([], [1, 'x', undefined]) },
    { ...base, value: await oneArray(1, 2) },
    { ...base, value: await oneArray(1, 3) },
  ].map(toCacheKey)
  expect(new Set(keys).size).toBe(keys.length)
  expect(toCacheKey({ ...base, value: await encodeArguments([], [1, 'x']) })).toBe(keys[0])
})

test('an entry cut at any byte, or with any byte changed, is no result', async () => {
  const cache = await openResultCache(folder)
  await cache.write(key, await encodeValue(value))
  const [path = ''] = await entryPaths()
  const entry = await readFile(path)
  for (let at = 0; at < entry.length; at++) {
    await writeFile(path, entry.subarray(0, at))
    expect(await cache.read(key), `cut at ${at}`).toBeUndefined()
    const damaged = Buffer.from(entry)
    damaged[at] = (damaged[at] ?? 0) ^ 1
    await writeFile(path, damaged)
    expect(await cache.read(key), `changed at ${at}`).toBeUndefined()
  }
  await cache.write(key, await encodeValue(value))
  expect(await cache.read(key)).toBeDefined()
})

test('an entry under the name of another is no result', async () => {
  const cache = await openResultCache(folder)
  await cache.write(key, await encodeValue(1))
  const [path = ''] = await entryPaths()
  const other = key.replace(/^(..)./, (start) => start.slice(0, 2) + (start[2] === '0' ? '1' : '0'))
  await writeFile(path.replace(key.slice(2), other.slice(2)), await readFile(path))
  expect(await cache.read(other)).toBeUndefined()
})

test('many writers of the same and of different keys leave complete entries and no drafts', async () => {
  const caches = await Promise.all([1, 2, 3].map(() => openResultCache(folder)))
  const keys = Array.from({ length: 40 }, (_, index) => index.toString(16).padStart(64, '0'))
  const big = await encodeValue(new Uint8Array(100_000).fill(7))
  await Promise.all(caches.flatMap((cache) => keys.map((name) => cache.write(name, big))))
  const found = await Promise.all(keys.map(async (name) => await caches[0]?.read(name)))
  expect(found.every((result) => result?.parts[0]?.byteLength === 100_000)).toBe(true)
  expect(await readdir(join(folder, '.drafts'))).toEqual([])
})

test('drafts that a killed run left are removed, those of a running one are not', async () => {
  await openResultCache(folder)
  const [old, young] = [join(folder, '.drafts', 'old'), join(folder, '.drafts', 'young')]
  for (const path of [old, young]) await (await open(path, 'w')).close()
  await utimes(old, 0, 0)
  await openResultCache(folder)
  expect(await readdir(join(folder, '.drafts'))).toEqual(['young'])
})

test('a folder that cannot be used is refused before any call', async () => {
  const file = join(folder, 'file')
  await writeFile(file, '')
  await expect(openResultCache(file)).rejects.toMatchObject({ name: 'ConfigError', code: 'CACHE_FOLDER_UNUSABLE' })
})

test('a disk that fails warns once and fails no call', async () => {
  const cache = await openResultCache(folder)
  await rm(join(folder, '.drafts'), { recursive: true })
  const warnings: Error[] = []
  const heard = new Promise<void>((resolve) => {
    process.once('warning', (warning) => {
      warnings.push(warning)
      resolve()
    })
  })
  await cache.write(key, await encodeValue(1))
  await cache.write(key, await encodeValue(1))
  await heard
  expect(warnings).toMatchObject([{ code: 'CACHE_WRITE_FAILED' }])
})
