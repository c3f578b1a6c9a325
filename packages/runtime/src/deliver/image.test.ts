import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { startMemoryRegistry } from '../../test/memory-registry.ts'
import type { MemoryRegistry } from '../../test/memory-registry.ts'
import { createRecordSpace } from '../../test/record-space.ts'
import type { RecordSpace } from '../../test/record-space.ts'
import { createImageDelivery } from './image.ts'
import { toDigest } from './registry.ts'

let registry: MemoryRegistry
let folder: string
beforeEach(async () => {
  registry = await startMemoryRegistry()
  const config = Buffer.from('{}')
  registry.blobs.set(toDigest(config), config)
  const descriptor = { mediaType: 'config', size: config.length, digest: toDigest(config) }
  registry.manifests.set('base/1', Buffer.from(JSON.stringify({ config: descriptor, layers: [] })))
  folder = mkdtempSync(join(tmpdir(), 'turbolift-image-'))
})
afterEach(() => {
  registry[Symbol.dispose]()
  rmSync(folder, { recursive: true })
})

/** A run with this code. @returns the digest that its workers start from, and what it told */
async function run(space: RecordSpace, code: string): Promise<{ readonly digest: string; readonly told: string[] }> {
  writeFileSync(join(folder, 'worker.js'), code)
  const told: string[] = []
  const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'tl-x', uid: 'u' }
  const names = { namespace: 'space', namePrefix: 'tl-x', labels: {}, owner, isGuarded: true }
  const options = { builder: 'append', baseImage: `${registry.host}/base:1`, registry: registry.host } as const
  const { image } = await createImageDelivery(options).deliver({
    folder,
    program: 'p',
    externals: [],
    scope: { client: space.client, ...names },
    onLog: (line) => told.push(line),
    signal: AbortSignal.timeout(10_000),
  })
  return { digest: image.split('@')[1] ?? '', told }
}

/** Puts the image of one run under every tag, as whoever may write to the registry can. */
function forge(digest: string): void {
  const manifest = registry.manifests.get(`turbolift-p/${digest}`) ?? Buffer.alloc(0)
  for (const name of registry.manifests.keys())
    if (name.startsWith('turbolift-p/') && !name.includes('sha256:')) registry.manifests.set(name, manifest)
}

test('tags that somebody else has moved change nothing, in a namespace that knows the image or none', async () => {
  const space = createRecordSpace()
  const honest = await run(space, 'honest')
  const forged = await run(createRecordSpace(), 'forged')
  expect(forged.digest).not.toBe(honest.digest)
  forge(forged.digest)
  expect((await run(space, 'honest')).digest).toBe(honest.digest)
  expect((await run(createRecordSpace(), 'honest')).digest).toBe(honest.digest)
})

test('an image that is known is not built again, until the registry has it no more', async () => {
  const space = createRecordSpace()
  const { digest } = await run(space, 'code')
  registry.manifests.delete('base/1')
  expect((await run(space, 'code')).digest).toBe(digest)
  registry.manifests.delete(`turbolift-p/${digest}`)
  await expect(run(space, 'code')).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' })
})

test('a Role that may not remember images builds in each run, and says so', async () => {
  const { digest, told } = await run(createRecordSpace({ isForbidden: true }), 'code')
  expect(digest).toMatch(/^sha256:/)
  expect(told.join()).toContain('The next run builds the image again')
})
