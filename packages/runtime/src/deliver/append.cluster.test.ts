import { afterAll, beforeAll, expect, test } from 'vitest'

import { BASE_IMAGE, type BuildSite, createBuildSite, imageOptions, REGISTRY, runImage } from '../../test/build-site.ts'
import { readContext } from './context.ts'
import { createImageDelivery } from './image.ts'
import { resolveImageOptions } from './options.ts'
import { Registry } from './registry.ts'

const append = { ...imageOptions, builder: 'append' } as const
const registry = new Registry({ host: REGISTRY, isInsecure: true, credentials: undefined })

let site: BuildSite
beforeAll(async () => {
  site = await createBuildSite('append', {
    labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
    files: { 'chunks/a.js': 'export {}\n' },
  })
})
afterAll(() => site[Symbol.asyncDispose]())

test('builds and runs where pod security is restricted, without a pod', async () => {
  const code = await createImageDelivery(append).deliver(site.request)
  expect(code.nodeSelector).toEqual({ 'kubernetes.io/arch': process.arch === 'x64' ? 'amd64' : process.arch })
  expect(await site.space.client.list('Pod')).toEqual([])
  expect(await runImage(site, code, ['node', '/turbolift/worker.js'])).toBe('worker\n')
})

test('gives the same digest when it is done again', async () => {
  const { signal } = site.request
  const first = await createImageDelivery(append).deliver(site.request)
  const [repository, digest] = first.image.slice(REGISTRY.length + 1).split('@')
  await registry.deleteManifest(repository ?? '', digest ?? '', { signal })
  expect((await createImageDelivery(append).deliver(site.request)).image).toBe(first.image)
})

test('an image that somebody else put under its tag is not taken, here or in a namespace that knows none', async () => {
  const { folder, program, signal } = site.request
  const honest = await createImageDelivery(append).deliver(site.request)
  await using attacker = await createBuildSite('append')
  const forged = await createImageDelivery(append).deliver(attacker.request)
  const [repository = '', digest = ''] = forged.image.slice(REGISTRY.length + 1).split('@')
  const { key } = await readContext(folder, resolveImageOptions(append))
  const manifest = await registry.getManifest(repository, digest, { signal })
  await registry.putManifest(repository, key, manifest, { signal })
  expect(await registry.findManifest(repository, key, { signal })).toBe(digest)
  expect((await createImageDelivery(append).deliver(site.request)).image).toBe(honest.image)
  const fresh = await createImageDelivery(append).deliver({ ...attacker.request, folder, program })
  expect(fresh.image).toBe(honest.image)
})

test('copies the base image where the registries are not the same', async () => {
  const { scope, signal } = site.request
  const options = { ...append, registry: undefined, registryImage: 'docker.io/library/registry:3' }
  const code = await createImageDelivery(options).deliver(site.request)
  expect(code.image).toMatch(/^localhost:\d+\/turbolift-test-append@sha256:/)
  expect(await runImage(site, code, ['node', '/turbolift/worker.js'])).toBe('worker\n')
  const services = await scope.client.list('Service', { labelSelector: 'turbolift.dev/role=registry', signal })
  expect(services.map(({ metadata }) => metadata?.ownerReferences?.[0]?.name)).toEqual(['owner'])
})

test('cannot install packages', async () => {
  const delivery = createImageDelivery({ ...append, apt: ['curl'] })
  await expect(delivery.deliver(site.request)).rejects.toMatchObject({ code: 'BUILDER_CANNOT_RUN' })
})

test('needs a base image that exists', async () => {
  const delivery = createImageDelivery({ ...append, baseImage: `${BASE_IMAGE}-none` })
  await expect(delivery.deliver(site.request)).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' })
})

test('needs a base image for the right architecture', async () => {
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [],
  }
  const bytes = Buffer.from(JSON.stringify(index))
  const { signal } = site.request
  await registry.putManifest('turbolift-test-append', 'index', { mediaType: index.mediaType, bytes }, { signal })
  const delivery = createImageDelivery({ ...append, baseImage: `${REGISTRY}/turbolift-test-append:index` })
  await expect(delivery.deliver(site.request)).rejects.toMatchObject({ code: 'BASE_IMAGE_UNSUITABLE' })
})
