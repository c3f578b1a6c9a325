import { afterAll, beforeAll, expect, test } from 'vitest'

import { type BuildSite, createBuildSite, imageOptions, REGISTRY, runImage } from '../../test/build-site.ts'
import { createImageDelivery } from './image.ts'

const options = { ...imageOptions, registry: undefined }

let site: BuildSite
beforeAll(async () => {
  site = await createBuildSite('announced')
})
afterAll(() => site[Symbol.asyncDispose]())

test.each([
  ['for all sides: Kaniko builds', `host: "${REGISTRY}"\nhostFromClusterNetwork: "${REGISTRY}"\n`, ['tl-1-build']],
  ['for programs only: a layer is appended', `host: "${REGISTRY}"\n`, []],
])('a registry that the cluster announces %s', async (_, text, builds) => {
  const program = builds.length > 0 ? 'test-announced-all' : 'test-announced-one'
  const scope = { ...site.request.scope, namePrefix: 'tl-1' }
  const code = await whileAnnounced(text, () =>
    createImageDelivery(options).deliver({ ...site.request, program, scope }),
  )
  expect(code.image).toContain(`${REGISTRY}/turbolift-${program}@`)
  const pods = await site.space.client.list('Pod', { labelSelector: 'turbolift.dev/role=build' })
  expect(pods.map(({ metadata }) => metadata?.name)).toEqual(builds)
  await site.space.client.remove('Pod', 'tl-1-build', { graceSeconds: 0 })
  expect(await runImage(site, code, ['node', '/turbolift/worker.js'])).toBe('worker\n')
})

test('packages need a registry that pods reach', async () => {
  const delivery = createImageDelivery({ ...options, apt: ['curl'] })
  const delivered = whileAnnounced(`host: "${REGISTRY}"\n`, () => delivery.deliver(site.request))
  await expect(delivered).rejects.toMatchObject({ code: 'REGISTRY_OUT_OF_REACH' })
})

async function whileAnnounced<T>(text: string, run: () => Promise<T>): Promise<T> {
  const { client } = site.space
  const metadata = { name: 'local-registry-hosting', namespace: 'kube-public' }
  await client.apply('ConfigMap', { metadata, data: { 'localRegistryHosting.v1': text } })
  try {
    return await run()
  } finally {
    await client.remove('ConfigMap', metadata.name, { namespace: metadata.namespace })
  }
}
