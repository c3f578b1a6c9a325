import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, expect, test } from 'vitest'

import { checkExternals, type ContextOptions, readContext, toDockerfile } from './context.ts'

const options: ContextOptions = {
  baseImage: 'node:20-slim',
  builder: 'kaniko',
  architecture: undefined,
  apt: [],
  npm: [],
  buildArgs: [],
}
const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function makeFolder(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'turbolift-context-'))
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

test('the Dockerfile only copies when no packages are listed', () => {
  expect(toDockerfile(options)).toBe(
    'FROM node:20-slim\nCOPY files /turbolift\nUSER 65532:65532\nCMD ["node", "/turbolift/worker.js"]\n',
  )
})

test('listed packages become RUN lines before the copy', () => {
  const text = toDockerfile({ ...options, apt: ['ffmpeg', 'curl=7.88.1-10'], npm: ['sharp@0.34.4', '@scope/x'] })
  expect(text).toContain('apt-get install -y --no-install-recommends ffmpeg curl=7.88.1-10 &&')
  expect(text).toContain("'sharp@0.34.4' '@scope/x' && rm -rf /tmp/npm\nCOPY files")
})

test('values from outside are declared where something runs', () => {
  const buildArgs = ['HTTP_PROXY']
  expect(toDockerfile({ ...options, npm: ['a'], buildArgs })).toContain('\nARG HTTP_PROXY\n')
  expect(toDockerfile({ ...options, buildArgs })).not.toContain('ARG')
})

test.each([
  ['apt', 'curl; rm -rf /'],
  ['buildArgs', 'X\nRUN id'],
  ['apt', '--force-yes'],
  ['apt', 'libc6-'],
  ['npm', '-g'],
  ['npm', '--registry'],
  ['npm', '@-x/y'],
  ['npm', "x' && id '"],
  ['npm', '$(id)'],
] as const)('in the list %s, the name %s is refused', (list, name) => {
  expect(() => toDockerfile({ ...options, npm: ['a'], [list]: [name] })).toThrow(
    expect.objectContaining({ code: 'PACKAGE_NAME_INVALID' }),
  )
})

test('a base image that is more than one name is refused', () => {
  expect(() => toDockerfile({ ...options, baseImage: 'node:20-slim\nRUN id' })).toThrow(
    expect.objectContaining({ code: 'IMAGE_REFERENCE_INVALID' }),
  )
})

test('the key depends on names, contents, base, processor and builder, not on place or time', async () => {
  const files = { 'worker.js': 'w', 'chunks/a.js': 'a' }
  const [first, second] = [makeFolder(files), makeFolder(files)]
  utimesSync(join(second, 'worker.js'), 1, 1)
  const { key } = await readContext(first, options)
  expect(key).toMatch(/^[0-9a-f]{40}$/)
  expect((await readContext(second, options)).key).toBe(key)
  const others = await Promise.all([
    readContext(makeFolder({ ...files, 'worker.js': 'x' }), options),
    readContext(makeFolder({ 'worker.js': 'w', 'chunks/b.js': 'a' }), options),
    readContext(first, { ...options, baseImage: 'node:22-slim' }),
    readContext(first, { ...options, builder: 'append' }),
    readContext(first, { ...options, architecture: 'arm64' }),
  ])
  expect(new Set([key, ...others.map((other) => other.key)]).size).toBe(6)
})

test('native packages are missed only where nothing can provide them', () => {
  expect(() => check({})).toThrow(expect.objectContaining({ code: 'NATIVE_PACKAGE_MISSING' }))
  expect(() => check({ npm: ['sharp@0.34.4', '@img/x@1'] })).not.toThrow()
  expect(() => check({ isStockImage: false })).not.toThrow()
})

function check(more: { readonly npm?: readonly string[]; readonly isStockImage?: boolean }): void {
  checkExternals(['sharp', '@img/x'], { ...options, isStockImage: true, ...more })
}
