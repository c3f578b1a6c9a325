import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'

import { untilGone } from '../../../../test/cluster/wait.ts'
import { type BuildSite, createBuildSite, imageOptions, runImage } from '../../test/build-site.ts'
import { builtInEnvironment } from '../../test/build-environment.ts'
import { createLimitedAccount, type LimitedAccount, runTurbolift } from '../../test/limited-account.ts'
import type { DeliveredCode } from '../deliver/delivery.ts'
import { parseImageReference } from '../deliver/image-reference.ts'
import { createImageDelivery } from '../deliver/image.ts'
import type { ImageInput } from '../deliver/options.ts'
import { readLogin } from '../deliver/registry-login.ts'
import { Registry } from '../deliver/registry.ts'
import { managedSelector } from '../deploy/names.ts'

const builtIn: ImageInput = { ...imageOptions, registry: undefined }

let site: BuildSite
let account: LimitedAccount
let runs = 0
let ended = 0
beforeAll(async () => {
  site = await createBuildSite('registry')
  const options = { name: 'registry', environment: builtInEnvironment, args: ['--maintenance'] }
  account = await createLimitedAccount(site.space, options)
})
afterEach(endRuns)
afterAll(async () => {
  account[Symbol.dispose]()
  await site[Symbol.asyncDispose]()
})

function turbolift(...args: readonly string[]) {
  const environment = { ...builtInEnvironment, KUBECONFIG: account.kubeconfig }
  return runTurbolift([...args, '-n', site.space.name], { environment })
}

test('without one, a run starts its own, to which nobody else writes, and which goes with it', async () => {
  const code = await deliver()
  expect(await attack(code)).toEqual({ read: [401, 401], written: [401, 401] })
  expect(await runImage(site, code, ['node', '/turbolift/worker.js'])).toBe('worker\n')
  await endRuns()
  await untilGone(site.space.client, managedSelector, 20_000)
})

test('one that is installed stays, is listed, and keeps images from run to run', async () => {
  const installed = await turbolift('registry', 'install')
  expect(installed, installed.stderr).toMatchObject({ code: 0 })
  expect(installed.stdout).toMatch(/nodes pull from localhost:\d+/)
  expect((await turbolift('ls')).stdout).toMatch(/^turbolift-registry +ready/m)
  const first = await deliver()
  await endRuns()
  await untilGone(site.space.client, 'turbolift.dev/run=test', 20_000)
  const second = await deliver()
  expect(second.image).toBe(first.image)
  expect(await site.space.client.list('Pod', { labelSelector: 'turbolift.dev/role=build' })).toEqual([])
  expect(await runImage(site, second, ['node', '/turbolift/worker.js'])).toBe('worker\n')
})

test('whoever reaches a node, or its pod, can neither read nor write there', async () => {
  const code = await deliver()
  expect(await attack(code)).toEqual({ read: [401, 401], written: [401, 401] })
})

test('nor can the login write through the port of the nodes', async () => {
  const code = await deliver()
  const { image, address, port } = await locate(code)
  const secret = await site.space.client.read('Secret', 'turbolift-registry')
  const credentials = readLogin(secret)
  const registry = new Registry({ host: `${address}:${port}`, isInsecure: true, credentials })
  const { signal } = site.request
  const manifest = await registry.getManifest(image.repository, image.reference, { signal })
  const forged = registry.putManifest(image.repository, 'forged', manifest, { signal })
  await expect(forged).rejects.toMatchObject({ code: 'REGISTRY_REFUSED' })
})

test('installing again changes nothing', async () => {
  const before = await site.space.client.read('Secret', 'turbolift-registry')
  expect((await turbolift('registry', 'install')).code).toBe(0)
  expect((await site.space.client.read('Secret', 'turbolift-registry'))?.data).toEqual(before?.data)
})

test('a registry whose login is gone is not used until it is installed again', async () => {
  await site.space.client.remove('Secret', 'turbolift-registry')
  await expect(deliver()).rejects.toMatchObject({ code: 'REGISTRY_LOGIN_MISSING' })
  expect((await turbolift('registry', 'install')).code).toBe(0)
  expect(readLogin(await site.space.client.read('Secret', 'turbolift-registry'))).toBeDefined()
})

test('it is removed by "down", or by "registry uninstall"', async () => {
  expect(await turbolift('down', 'turbolift-registry')).toMatchObject({
    code: 0,
    stdout: 'turbolift-registry is gone\n',
  })
  await untilGone(site.space.client, managedSelector, 20_000)
  expect((await turbolift('registry', 'uninstall')).code).toBe(0)
})

test('it does not start under a quota that refuses it, and says why', async () => {
  await site.space.client.create('ResourceQuota', { metadata: { name: 'none' }, spec: { hard: { pods: '0' } } })
  const { code, stderr } = await turbolift('registry', 'install')
  expect([code, stderr]).toEqual([1, expect.stringMatching(/REGISTRY_NOT_STARTED[^]*exceeded quota: none/)])
  await site.space.client.remove('ResourceQuota', 'none')
  await turbolift('registry', 'uninstall')
})

test('wrong words are wrong usage', async () => {
  expect((await turbolift('registry')).code).toBe(2)
  expect((await turbolift('registry', 'remove')).code).toBe(2)
})

/** What somebody without a login is answered, by the port of the nodes and by the pod itself. */
async function attack(code: DeliveredCode) {
  const { image, address, port, pod } = await locate(code)
  const hosts = [`${address}:${port}`, `${pod}:5000`]
  const path = `/v2/${image.repository}/manifests/forged`
  const ask = async (method: string) =>
    Promise.all(hosts.map(async (host) => (await fetch(`http://${host}${path}`, { method })).status))
  return { read: await ask('GET'), written: await ask('PUT') }
}

async function locate({ image }: DeliveredCode) {
  const [pod] = await site.space.client.list('Pod', { labelSelector: 'turbolift.dev/role=registry' })
  const reference = parseImageReference(image)
  const [, port = ''] = reference.registry.split(':')
  return { image: reference, port, address: pod?.status?.hostIP ?? '', pod: pod?.status?.podIP ?? '' }
}

/** What a run leaves goes with its anchor. */
async function endRuns(): Promise<void> {
  const names = Array.from({ length: runs - ended }, (_, index) => `owner-${ended + index + 1}`)
  ended = runs
  for (const name of names) await site.space.client.remove('ConfigMap', name)
}

/** As a run of its own does. */
async function deliver(): Promise<DeliveredCode> {
  runs += 1
  const name = `owner-${runs}`
  const owner = await site.space.client.create('ConfigMap', { metadata: { name } })
  const names = {
    namePrefix: `tl-${runs}`,
    owner: { apiVersion: 'v1', kind: 'ConfigMap', name, uid: owner.metadata?.uid ?? '' },
  }
  const scope = { ...site.request.scope, ...names }
  return createImageDelivery(builtIn).deliver({ ...site.request, scope })
}
