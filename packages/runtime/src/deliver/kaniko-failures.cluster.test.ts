import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type BuildSite, createBuildSite, imageOptions, REGISTRY } from '../../test/build-site.ts'
import { createImageDelivery } from './image.ts'
import type { ImageInput, KanikoInput } from './options.ts'

const { kaniko } = imageOptions

let site: BuildSite
beforeAll(async () => {
  site = await createBuildSite('failures', { files: { 'big.bin': Buffer.alloc(5_000_000) } })
})
afterAll(() => site[Symbol.asyncDispose]())

let builds = 0

/** Each build is of a program of its own, so that none finds the image of another. */
function build(options: ImageInput, builder: KanikoInput = {}): Promise<unknown> {
  builds += 1
  const scope = { ...site.request.scope, namePrefix: `tl-${builds}` }
  const delivery = createImageDelivery({ ...imageOptions, ...options, kaniko: { ...kaniko, ...builder } })
  return delivery.deliver({ ...site.request, program: `test-failures-${builds}`, scope })
}

async function failure(built: Promise<unknown>): Promise<Error> {
  const error: unknown = await built.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof Error)) throw new TypeError('The build did not fail.')
  return error
}

describe('a failed build names its reason:', () => {
  test('a base image that does not exist', async () => {
    const error = await failure(build({ baseImage: `${REGISTRY}/library/none:1` }))
    expect(error).toMatchObject({ name: 'BuildError', code: 'IMAGE_NOT_FOUND' })
    expect(error.message).toMatch(/error building image:.*library\/none/)
    expect(error.message).not.toContain('Usage:')
  })

  test('a registry that speaks HTTP, not HTTPS', async () => {
    const error = await failure(build({ registry: { push: REGISTRY, insecure: false } }, { insecureRegistries: [] }))
    expect(error).toMatchObject({ name: 'BuildError', code: 'REGISTRY_UNREACHABLE' })
    expect(error.message).toContain('kubernetes.image.registry.insecure')
  })

  test('a registry that nobody listens for', async () => {
    const error = await failure(build({ registry: { push: '198.19.255.1:5999', insecure: true } }))
    expect(error).toMatchObject({ name: 'BuildError', code: 'REGISTRY_UNREACHABLE' })
    expect(error.message).toContain('connection refused')
  })

  test('a registry whose name is unknown', async () => {
    const error = await failure(build({ registry: { push: 'registry.invalid', host: REGISTRY, insecure: true } }))
    expect(error).toMatchObject({ code: 'REGISTRY_UNREACHABLE' })
    expect(error.message).toMatch(/no such host|lookup/)
  })

  test('a Kaniko image that cannot be pulled', async () => {
    const error = await failure(build({}, { image: `${REGISTRY}/none/kaniko:1` }))
    expect(error).toMatchObject({ name: 'BuildError', code: 'BUILD_IMAGE_PULL_FAILED' })
  })

  test('too little memory', async () => {
    const error = await failure(build({}, { memory: '12Mi' }))
    expect(error).toMatchObject({ name: 'BuildError', code: 'BUILD_OUT_OF_MEMORY' })
  })

  test('too little disk', async () => {
    const zeros = join(site.request.folder, 'zeros')
    writeFileSync(zeros, Buffer.alloc(70_000_000))
    // The kubelet looks every ten seconds or so; meanwhile the build waits for its base image.
    await using silent = await listenSilently()
    const options = { baseImage: `${silent.host}/library/node:1` }
    const error = await failure(build(options, { ephemeralStorage: '20Mi', insecureRegistries: [silent.host] }))
    rmSync(zeros)
    expect(error).toMatchObject({ name: 'BuildError', code: 'BUILD_DISK_FULL' })
    expect(error.message).toMatch(/ephemeral/)
  })

  test('no node with enough room', async () => {
    const error = await failure(build({}, { cpu: '1000', timeoutMs: 3000 }))
    expect(error).toMatchObject({ name: 'BuildError', code: 'BUILD_UNSCHEDULABLE' })
    expect(error.message).toContain('Insufficient cpu')
  })

  test('too little time', async () => {
    await using silent = await listenSilently()
    const options = { baseImage: `${silent.host}/library/node:1` }
    const error = await failure(build(options, { timeoutMs: 3000, insecureRegistries: [silent.host] }))
    expect(error).toMatchObject({ name: 'BuildError', code: 'BUILD_TIMEOUT' })
  })

  test('a Secret that does not exist', async () => {
    const error = await failure(build({ registry: { push: REGISTRY, insecure: true, pushSecret: 'none' } }))
    expect(error).toMatchObject({ name: 'BuildError', code: 'BUILD_POD_FAILED' })
    expect(error.message).toContain('secret "none" not found')
  })

  test('a command of the user that fails', async () => {
    const error = await failure(build({ apt: ['curl'] }))
    expect(error).toMatchObject({ name: 'BuildError', code: 'BUILD_FAILED' })
    expect(error.message).toContain('apt-get')
  })

  test('and leaves no pod', async () => {
    const pods = await site.space.client.list('Pod')
    expect(pods.filter(({ metadata }) => metadata?.deletionTimestamp === undefined)).toEqual([])
  })
})

test('pod security "restricted" refuses the pod', async () => {
  await using strict = await createBuildSite('strict', {
    labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
  })
  const error = await failure(createImageDelivery(imageOptions).deliver(strict.request))
  expect(error).toMatchObject({ name: 'BuildError', code: 'POD_SECURITY_REFUSED' })
  expect(error.message).toContain('append')
})

test('pod security "baseline" lets it build', async () => {
  await using baseline = await createBuildSite('baseline', {
    labels: { 'pod-security.kubernetes.io/enforce': 'baseline' },
  })
  const code = await createImageDelivery(imageOptions).deliver(baseline.request)
  expect(code.image).toContain('@sha256:')
})

test('a quota refuses the pod', async () => {
  await using poor = await createBuildSite('quota')
  await poor.space.client.create('ResourceQuota', { metadata: { name: 'none' }, spec: { hard: { pods: '0' } } })
  const error = await failure(createImageDelivery(imageOptions).deliver(poor.request))
  expect(error).toMatchObject({ name: 'BuildError', code: 'QUOTA_EXCEEDED' })
  expect(error.message).toContain('exceeded quota: none')
})

/** A registry that takes connections and never answers. */
async function listenSilently(): Promise<AsyncDisposable & { readonly host: string }> {
  const sockets: Socket[] = []
  const server = createServer((socket) => sockets.push(socket))
  await once(server.listen(0, REGISTRY.replace(/:\d+$/, '')), 'listening')
  const address = server.address()
  return {
    host: REGISTRY.replace(/:\d+$/, `:${typeof address === 'object' ? address?.port : ''}`),
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
