import { afterAll, beforeAll, expect, test } from 'vitest'

import { untilGone } from '../../../../test/cluster/wait.ts'
import { type BuildSite, createBuildSite, imageOptions, runImage } from '../../test/build-site.ts'
import { builtInEnvironment } from '../../test/build-environment.ts'
import { createLimitedAccount, type LimitedAccount, runTurbolift } from '../../test/limited-account.ts'
import { createImageDelivery } from '../deliver/image.ts'
import type { ImageInput } from '../deliver/options.ts'
import { managedSelector } from '../deploy/names.ts'

const builtIn: ImageInput = { ...imageOptions, registry: undefined }

let site: BuildSite
let account: LimitedAccount
beforeAll(async () => {
  site = await createBuildSite('registry')
  const options = { name: 'registry', environment: builtInEnvironment, args: ['--maintenance'] }
  account = await createLimitedAccount(site.space, options)
})
afterAll(async () => {
  account[Symbol.dispose]()
  await site[Symbol.asyncDispose]()
})

function turbolift(...args: readonly string[]) {
  const environment = { ...builtInEnvironment, KUBECONFIG: account.kubeconfig }
  return runTurbolift([...args, '-n', site.space.name], { environment })
}

test('without one, a run starts its own, which goes with it', async () => {
  const code = await createImageDelivery(builtIn).deliver(site.request)
  expect(await runImage(site, code.image, ['node', '/turbolift/worker.js'])).toBe('worker\n')
  await site.endRun()
  await untilGone(site.space.client, managedSelector, 20_000)
})

test('one that is installed stays, is listed, and keeps images from run to run', async () => {
  const installed = await turbolift('registry', 'install')
  expect(installed, installed.stderr).toMatchObject({ code: 0 })
  expect(installed.stdout).toMatch(/nodes pull from localhost:\d+/)
  expect((await turbolift('ls')).stdout).toMatch(/^turbolift-registry +ready/m)
  await using other = await createBuildSite('other')
  const scope = {
    ...other.request.scope,
    client: site.space.client,
    namespace: site.space.name,
    owner: await makeOwner(),
  }
  const first = await createImageDelivery(builtIn).deliver({ ...other.request, scope })
  await site.space.client.remove('ConfigMap', 'owner-2')
  await untilGone(site.space.client, 'turbolift.dev/run=test', 20_000)
  const second = await createImageDelivery(builtIn).deliver({ ...other.request, scope })
  expect(second.image).toBe(first.image)
  expect(await site.space.client.list('Pod', { labelSelector: 'turbolift.dev/role=build' })).toEqual([])
  expect(await runImage(site, second.image, ['node', '/turbolift/worker.js'])).toBe('worker\n')
})

test('installing again changes nothing', async () => {
  expect((await turbolift('registry', 'install')).code).toBe(0)
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

async function makeOwner() {
  const owner = await site.space.client.create('ConfigMap', { metadata: { name: 'owner-2' } })
  return { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner-2', uid: owner.metadata?.uid ?? '' }
}
