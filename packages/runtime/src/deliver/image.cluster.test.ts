import { randomBytes } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type BuildSite, createBuildSite, imageOptions, runImage } from '../../test/build-site.ts'
import { createImageDelivery } from './image.ts'

describe('a Kaniko build', () => {
  let site: BuildSite
  beforeAll(async () => {
    site = await createBuildSite('kaniko', { files: { 'chunks/data.bin': randomBytes(20_000_000) } })
  })
  afterAll(() => site[Symbol.asyncDispose]())

  test('takes a context of 20 MB, and its image runs', async () => {
    const options = { ...imageOptions, kaniko: { ...imageOptions.kaniko, showLog: true } }
    const code = await createImageDelivery(options).deliver(site.request)
    expect(code.image).toMatch(/\/turbolift-test-kaniko@sha256:[0-9a-f]{64}$/)
    expect(site.log.join('\n')).toContain('COPY files /turbolift')
    const listing = "console.log(process.getuid(), require('fs').statSync('/turbolift/chunks/data.bin').size)"
    expect(await runImage(site, code.image, ['node', '-e', listing])).toBe('65532 20000000\n')
  })

  test('is not done again for the same files', async () => {
    const { client } = site.space
    await client.remove('Pod', 'tl-test-build', { graceSeconds: 0 })
    const again = await createImageDelivery(imageOptions).deliver(site.request)
    expect(again.command).toEqual(['node', '/turbolift/worker.js'])
    const pods = await client.list('Pod', { labelSelector: 'turbolift.dev/role=build' })
    expect(pods.filter(({ metadata }) => metadata?.deletionTimestamp === undefined)).toEqual([])
  })
})
