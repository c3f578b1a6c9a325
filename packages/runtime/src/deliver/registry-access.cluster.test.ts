import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { type BuildSite, createBuildSite, imageOptions, REGISTRY, runImage } from '../../test/build-site.ts'
import { type RegistryGuard, startGuard } from '../../test/registry-guard.ts'
import type { DeliveredCode } from './delivery.ts'
import { createImageDelivery } from './image.ts'
import type { ImageInput, RegistryInput } from './options.ts'
import { toDockerConfig } from './registry-auth.ts'

const login = { username: 'ada', password: 'correct horse' }
const folder = mkdtempSync(join(tmpdir(), 'turbolift-login-'))
const dockerConfig = join(folder, 'config.json')

let site: BuildSite
let builds = 0
beforeAll(async () => {
  site = await createBuildSite('access')
})
beforeEach(() => {
  builds += 1
})
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await site[Symbol.asyncDispose]()
})

function build(registry: RegistryInput, options: ImageInput = {}): Promise<DeliveredCode> {
  const scope = { ...site.request.scope, namePrefix: `tl-${builds}` }
  const kaniko = { ...imageOptions.kaniko, insecureRegistries: [REGISTRY] }
  const delivery = createImageDelivery({ ...imageOptions, kaniko, registry, ...options })
  return delivery.deliver({ ...site.request, program: `test-access-${builds}`, scope })
}

async function run(code: DeliveredCode): Promise<string> {
  return runImage(site, code, ['node', '/turbolift/worker.js'])
}

describe('a registry that wants a login', () => {
  let guard: RegistryGuard
  beforeAll(async () => {
    guard = await startGuard({ login })
    writeFileSync(dockerConfig, toDockerConfig(guard.host, login))
    for (const [name, host] of [
      ['push', guard.host],
      ['pull', `localhost:${guard.port}`],
    ] as const) {
      const stringData = { '.dockerconfigjson': toDockerConfig(host, login) }
      await site.space.client.create('Secret', {
        metadata: { name },
        type: 'kubernetes.io/dockerconfigjson',
        stringData,
      })
    }
  })
  afterAll(() => guard[Symbol.asyncDispose]())

  const names = () => ({ push: guard.host, pull: `localhost:${guard.port}`, insecure: true })

  test('refuses a build without one', async () => {
    const error = await build(names()).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ name: 'BuildError', code: 'PUSH_DENIED' })
    expect(String(error)).toContain('authentication required')
  })

  test('takes the image with the Secrets of the namespace, and nodes pull it', async () => {
    const code = await build({ ...names(), pushSecret: 'push', pullSecret: 'pull' })
    expect(code.imagePullSecrets).toEqual([{ name: 'pull' }])
    expect(await run(code)).toBe('worker\n')
  })

  test("takes this machine's login, in Secrets that go with the run", async () => {
    const code = await build({ ...names(), dockerConfig, shareCredentials: true })
    expect(code.imagePullSecrets).toEqual([{ name: `tl-${builds}-pull` }])
    expect(await run(code)).toBe('worker\n')
    const secrets = await site.space.client.list('Secret', { labelSelector: 'turbolift.dev/run=test' })
    expect(secrets.map(({ metadata }) => metadata?.ownerReferences?.[0]?.name)).toEqual(['owner', 'owner'])
  })

  test("takes a layer with this machine's login", async () => {
    const code = await build({ ...names(), dockerConfig, pullSecret: 'pull' }, { builder: 'append' })
    expect(await run(code)).toBe('worker\n')
  })

  test('refuses a layer without one', async () => {
    const built = build({ ...names(), pullSecret: 'pull' }, { builder: 'append' })
    await expect(built).rejects.toMatchObject({ name: 'BuildError', code: 'PUSH_DENIED' })
  })
})

describe('a registry with a private authority', () => {
  let guard: RegistryGuard
  beforeAll(async () => {
    guard = await startGuard({ isSecure: true })
  })
  afterAll(() => guard[Symbol.asyncDispose]())

  test('is not trusted unasked', async () => {
    const error = await build({ push: guard.host }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ name: 'BuildError', code: 'REGISTRY_UNREACHABLE' })
    expect(String(error)).toContain('x509')
  })

  test.each(['kaniko', 'append'] as const)('is trusted with its certificates (%s)', async (builder) => {
    const code = await build({ push: guard.host, pull: REGISTRY, caFile: guard.caFile }, { builder })
    expect(await run(code)).toBe('worker\n')
  })

  test('needs certificates that can be read', async () => {
    const built = build({ push: guard.host, caFile: join(folder, 'none') })
    await expect(built).rejects.toMatchObject({ name: 'ConfigError', code: 'REGISTRY_CA_UNREADABLE' })
  })
})

test('a registry that only the cluster reaches takes an image, each time anew', async () => {
  const registry = { push: REGISTRY, host: REGISTRY.replace(/:\d+$/, ':5999'), insecure: true }
  const first = await build(registry)
  builds += 1
  expect((await build(registry)).image).toContain('@sha256:')
  expect(await run(first)).toBe('worker\n')
})
