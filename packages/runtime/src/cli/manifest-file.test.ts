import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { expect, test } from 'vitest'

import { writeBundle } from '../../test/bundle.ts'
import { readManifest } from './manifest-file.ts'

test('the manifest is read from a bundle, or from the folder of its chunks', () => {
  using bundle = writeBundle({ kubernetes: { namespace: 'n' } })
  expect(readManifest(bundle.path)).toEqual(bundle.manifest)
  expect(readManifest(dirname(bundle.path))).toEqual(bundle.manifest)
})

test('minified bundles are read too', () => {
  using bundle = writeBundle({ kubernetes: { networkPolicy: true } })
  const { hash, files, functions, program } = bundle.manifest
  const text = `{version:1,program:\`${program}\`,hash:'${hash}',functions:${JSON.stringify(functions)},options:{kubernetes:{networkPolicy:!0}},externals:[],files:\`${files}\`}`
  writeFileSync(bundle.path, `var e=${text};f(e)`)
  expect(readManifest(bundle.path)).toEqual(bundle.manifest)
})

test('a program without lifted functions, and a missing one, are told apart', () => {
  const folder = mkdtempSync(join(tmpdir(), 'turbolift-bundle-'))
  const file = join(folder, 'main.js')
  writeFileSync(file, 'const a = {version:1,program:x.y}')
  expect(() => readManifest(file)).toThrow(/no manifest/)
  expect(() => readManifest(join(folder, 'none.js'))).toThrow(expect.objectContaining({ code: 'BUNDLE_UNREADABLE' }))
  rmSync(folder, { recursive: true })
})
