import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { afterEach, beforeEach, expect, test, vi } from 'vitest'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'packages-'))
  await write('store/engine/package.json', '{ "name": "engine", "dependencies": { "gear": "*" } }')
  await write('store/engine/index.js', '1')
  await write('store/node_modules/gear/package.json', '{ "peerDependencies": { "none": "*" } }')
  await write('store/node_modules/gear/lib/gear.js', '1')
  await write('app/main.js', '')
  await mkdir(join(root, 'app/node_modules'))
  await symlink(join(root, 'store/engine'), join(root, 'app/node_modules/engine'))
})
afterEach(async () => {
  vi.unstubAllGlobals()
  await rm(root, { recursive: true })
})

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await writeFile(join(root, path), text)
}

/** As a program in the folder that has just been started. */
async function hash(names: readonly string[] = ['engine'], app = 'app'): Promise<string> {
  vi.resetModules()
  const { hashPackages } = await import('./cache-packages.ts')
  const [node = '', main = ''] = process.argv
  process.argv[1] = join(root, app, 'main.js')
  try {
    return await hashPackages(names)
  } finally {
    process.argv.splice(0, 2, node, main)
  }
}

test('a package is another one when one of its files is, or one of what it depends on', async () => {
  const before = await hash()
  expect(await hash()).toBe(before)
  await write('store/engine/index.js', '2')
  const upgraded = await hash()
  await write('store/node_modules/gear/lib/gear.js', '2')
  const deep = await hash()
  await rm(join(root, 'store/node_modules/gear'), { recursive: true })
  expect(new Set([before, upgraded, deep, await hash()]).size).toBe(4)
})

test('it is the same for two checkouts that have the same installed', async () => {
  await write('other/main.js', '')
  await write('other/node_modules/engine/package.json', '{ "name": "engine", "dependencies": { "gear": "*" } }')
  await write('other/node_modules/engine/index.js', '1')
  await write('other/node_modules/gear/package.json', '{ "peerDependencies": { "none": "*" } }')
  await write('other/node_modules/gear/lib/gear.js', '1')
  expect(await hash(['engine'], 'other')).toBe(await hash())
})

test('what is installed later counts, and what nobody uses does not', async () => {
  const before = await hash()
  const without = await hash(['engine', 'late'])
  await write('app/node_modules/late/index.js', '1')
  expect(await hash()).toBe(before)
  expect(await hash(['engine', 'late'])).not.toBe(without)
})
