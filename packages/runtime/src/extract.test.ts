import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readdir, readlink, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

import { createTar } from 'nanotar'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { extractFiles, unpackFiles } from './extract.ts'
import { hashFiles } from './manifest.ts'
import type { LiftManifest, ManifestFile } from './manifest.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'extract-test-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

const sources = { 'functions.js': 'export const functions = {}', 'chunks/a.js': 'export const a = 1', 'empty.js': '' }

function toManifest(texts: Record<string, string>): LiftManifest {
  const files: ManifestFile[] = Object.entries(texts).map(([name, text]) => ({ name, data: Buffer.from(text) }))
  return {
    version: 1,
    program: 'test',
    hash: hashFiles(files),
    functions: {},
    options: {},
    externals: [],
    files: gzipSync(createTar(files.map(({ name, data }) => ({ name, data })))).toString('base64'),
  }
}

test('writes all files, readable by the owner alone', async () => {
  const manifest = toManifest(sources)
  const folder = await extractFiles(manifest, root)
  expect(folder).toBe(join(root, manifest.hash))
  expect(await readFile(join(folder, 'chunks/a.js'), 'utf8')).toBe(sources['chunks/a.js'])
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
  expect((await stat(join(folder, 'functions.js'))).mode & 0o777).toBe(0o600)
})

test('reuses what is there', async () => {
  const manifest = toManifest(sources)
  const folder = await extractFiles(manifest, root)
  const { ino } = await stat(folder)
  await extractFiles(manifest, root)
  expect((await stat(folder)).ino).toBe(ino)
})

test('replaces a damaged folder', async () => {
  const manifest = toManifest(sources)
  const folder = await extractFiles(manifest, root)
  await writeFile(join(folder, 'functions.js'), 'broken')
  await extractFiles(manifest, root)
  expect(await readFile(join(folder, 'functions.js'), 'utf8')).toBe(sources['functions.js'])
  expect(await readdir(root)).toEqual([manifest.hash])
})

test('twenty at the same time leave one folder and no drafts', async () => {
  const manifest = toManifest(sources)
  await Promise.all(Array.from({ length: 20 }, () => extractFiles(manifest, root)))
  expect(await readdir(root)).toEqual([manifest.hash])
})

test.each([
  ['other content', { ...toManifest(sources), hash: 'a'.repeat(64) }, 'MANIFEST_DAMAGED'],
  ['no archive', { ...toManifest(sources), files: 'AAAA' }, 'MANIFEST_DAMAGED'],
  ['a file outside', toManifest({ '../escape.js': 'x' }), 'MANIFEST_DAMAGED'],
  ['an absolute file', toManifest({ '/tmp/escape.js': 'x' }), 'MANIFEST_DAMAGED'],
])('refuses %s', async (_, manifest, code) => {
  expect(() => unpackFiles(manifest)).toThrow(expect.objectContaining({ code }))
  await expect(extractFiles(manifest, root)).rejects.toMatchObject({ code })
  expect(await readdir(root)).toEqual([])
})

test('refuses the manifest of another version', () => {
  const manifest = JSON.parse(JSON.stringify({ ...toManifest(sources), version: 2 }))
  expect(() => unpackFiles(manifest)).toThrow(expect.objectContaining({ code: 'MANIFEST_VERSION' }))
})

test.skipIf(process.getuid === undefined)('refuses a folder that others can write to', async () => {
  const open = await mkdtemp(join(root, 'open-'))
  const { chmod } = await import('node:fs/promises')
  await chmod(open, 0o777)
  await expect(extractFiles(toManifest(sources), open)).rejects.toMatchObject({ code: 'FOLDER_UNSAFE' })
})

test('programs that find their packages in different places get folders of their own', async () => {
  const manifest = toManifest(sources)
  const folders = await Promise.all(
    ['one', 'other', undefined].map((place) =>
      extractFiles(manifest, root, new Map([['engine', place && join(root, place)]])),
    ),
  )
  const again = await extractFiles(manifest, root, new Map([['engine', join(root, 'one')]]))
  expect(new Set(folders).size).toBe(3)
  expect(again).toBe(folders[0])
  expect(await readlink(join(folders[1] ?? '', 'node_modules/engine'))).toBe(join(root, 'other'))
})

test('a package that is not installed is not looked for in the folders above', async () => {
  const engine = join(root, 'node_modules/engine')
  await mkdir(engine, { recursive: true })
  await writeFile(join(engine, 'index.js'), 'module.exports = "of somebody else"')
  const folder = await extractFiles(toManifest(sources), join(root, 'code'), new Map([['engine', undefined]]))
  const name = 'engine'
  const require = createRequire(join(folder, 'functions.js'))
  expect(() => require(name)).toThrow(/Cannot find module/)
  const script = 'await import("engine").catch((error) => console.log(error.code))'
  await writeFile(join(folder, 'import.mjs'), script)
  expect(execFileSync(process.execPath, [join(folder, 'import.mjs')], { encoding: 'utf8' })).toBe(
    'ERR_MODULE_NOT_FOUND\n',
  )
})

test('a link that was changed is mended', async () => {
  const links = new Map([['engine', join(root, 'one')]])
  const folder = await extractFiles(toManifest(sources), root, links)
  const link = join(folder, 'node_modules/engine')
  await rm(link)
  await symlink(join(root, 'other'), link)
  await extractFiles(toManifest(sources), root, links)
  expect(await readlink(link)).toBe(join(root, 'one'))
})

test('what a program left that was killed while it wrote is removed', async () => {
  const draft = join(root, '.000000000000-1-1.00000000-0000-4000-8000-000000000000.draft')
  await mkdir(join(draft, 'chunks'), { recursive: true })
  await utimes(draft, 0, 0)
  const manifest = toManifest(sources)
  await extractFiles(manifest, root)
  expect(await readdir(root)).toEqual([manifest.hash])
})
