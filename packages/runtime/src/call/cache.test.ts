import { once } from 'node:events'
import { chmod, chown, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { toDraftName } from '@turbolift/worker-base/folders'
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

test('drafts that a killed run left are removed, and nothing else', async () => {
  await openResultCache(folder)
  const drafts = join(folder, '.drafts')
  const names = ['letter', '.000000000000-1-1.00000000-0000-4000-8000-000000000000.draft', toDraftName()]
  for (const name of names) {
    await writeFile(join(drafts, name), '')
    await utimes(join(drafts, name), 0, 0)
  }
  await openResultCache(folder)
  expect((await readdir(drafts)).toSorted()).toEqual([names[2], 'letter'])
})

test.skipIf(process.getuid === undefined)(
  'a folder that others can write to is refused, unless they are trusted',
  async () => {
    await chmod(folder, 0o2777)
    await expect(openResultCache(folder)).rejects.toMatchObject({ code: 'FOLDER_UNSAFE' })
    await expect(openResultCache(join(folder, 'below'))).rejects.toMatchObject({ code: 'FOLDER_UNSAFE' })
    expect(await readdir(folder)).toEqual([])
    const cache = await openResultCache({ folder, shared: true })
    await cache.write(key, await encodeValue(1))
    const [path = ''] = await entryPaths()
    expect(await cache.read(key)).toBeDefined()
    expect((await stat(path)).mode & 0o777).toBe(0o666)
    expect((await stat(dirname(path))).mode & 0o7777).toBe(0o2777)
  },
)

test.skipIf(process.getuid === undefined)('a folder that is made to be shared is one of the group', async () => {
  const shared = join(folder, 'team')
  await openResultCache({ folder: shared, shared: true })
  const modes = await Promise.all(
    [shared, join(shared, '.drafts')].map(async (path) => (await stat(path)).mode & 0o7777),
  )
  expect(modes).toEqual([0o2770, 0o2770])
})

test.skipIf(process.getuid?.() !== 0)('a folder of another user is refused (needs root)', async () => {
  await chown(folder, 2002, 2002)
  await expect(openResultCache(folder)).rejects.toMatchObject({ code: 'FOLDER_UNSAFE' })
})

test('drafts are not put behind a link', async () => {
  const target = join(folder, 'target')
  await mkdir(target)
  await symlink(target, join(folder, '.drafts'))
  await expect(openResultCache(folder)).rejects.toMatchObject({ code: 'CACHE_FOLDER_UNUSABLE' })
  expect(await readdir(target)).toEqual([])
})

test('an entry that cannot be read is no result, and is told once', async () => {
  const cache = await openResultCache(folder)
  await mkdir(join(folder, key.slice(0, 2), key.slice(2)), { recursive: true })
  const warned = once(process, 'warning')
  expect([await cache.read(key), await cache.read(key)]).toEqual([undefined, undefined])
  expect(await warned).toMatchObject([{ code: 'CACHE_WRITE_FAILED' }])
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
