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
    expect(await runImage(site, code, ['node', '-e', listing])).toBe('65532 20000000\n')
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

describe('a build that is disturbed', () => {
  let site: BuildSite
  beforeAll(async () => {
    site = await createBuildSite('disturbed')
  })
  afterAll(() => site[Symbol.asyncDispose]())

  test('is done again when its pod is deleted', async () => {
    const { client } = site.space
    const built = createImageDelivery(imageOptions).deliver(site.request)
    const signal = AbortSignal.timeout(30_000)
    for await (const event of client.watch('Pod', { fieldSelector: 'metadata.name=tl-test-build', signal })) {
      if (event.type === 'ADDED') break
    }
    await client.remove('Pod', 'tl-test-build', { graceSeconds: 0 })
    expect((await built).image).toContain('@sha256:')
    const pods = await client.list('Pod', { labelSelector: 'turbolift.dev/role=build' })
    expect(pods.map(({ metadata }) => metadata?.name)).toEqual(['tl-test-build-2'])
  })

  test('is done again when its pod is deleted before anybody looks', async () => {
    const { client } = site.space
    const namePrefix = 'tl-unseen'
    const create: typeof client.create = async (kind, object, options) => {
      const created = await client.create(kind, object, options)
      const name = created.metadata?.name
      if (kind === 'Pod' && name === `${namePrefix}-build`) await client.remove('Pod', name, { graceSeconds: 0 })
      return created
    }
    const scope = { ...site.request.scope, namePrefix, client: { ...client, create } }
    const delivered = await createImageDelivery(imageOptions).deliver({
      ...site.request,
      program: 'test-unseen',
      scope,
    })
    expect(delivered.image).toContain('@sha256:')
    expect(await client.read('Pod', `${namePrefix}-build-2`)).toBeDefined()
  })

  test('ends, with its pod, when the program does not want it any more', async () => {
    const { client } = site.space
    const stop = new AbortController()
    const scope = { ...site.request.scope, namePrefix: 'tl-stopped' }
    const request = { ...site.request, program: 'test-stopped', scope, signal: stop.signal }
    const built = createImageDelivery(imageOptions).deliver(request)
    const signal = AbortSignal.timeout(30_000)
    for await (const event of client.watch('Pod', { fieldSelector: 'metadata.name=tl-stopped-build', signal })) {
      if (event.type === 'ADDED') break
    }
    stop.abort(new Error('not any more'))
    await expect(built).rejects.toThrow('not any more')
    const pod = await client.read('Pod', 'tl-stopped-build')
    expect(pod === undefined || pod.metadata?.deletionTimestamp !== undefined).toBe(true)
  })
})
