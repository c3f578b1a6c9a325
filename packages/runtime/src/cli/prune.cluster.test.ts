import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { type BuildSite, createBuildSite, imageOptions, REGISTRY } from '../../test/build-site.ts'
import { buildEnvironment } from '../../test/build-environment.ts'
import { holdRun } from '../../test/held-run.ts'
import { createLimitedAccount, type LimitedAccount, runTurbolift } from '../../test/limited-account.ts'
import { createImageDelivery } from '../deliver/image.ts'
import { Registry } from '../deliver/registry.ts'

let site: BuildSite
let account: LimitedAccount
beforeAll(async () => {
  site = await createBuildSite('prune')
  account = await createLimitedAccount(site.space, {
    name: 'prune',
    environment: buildEnvironment,
    args: ['--maintenance'],
  })
})
afterAll(async () => {
  account[Symbol.dispose]()
  await site[Symbol.asyncDispose]()
})

function prune(...args: readonly string[]) {
  const environment = { ...buildEnvironment, KUBECONFIG: account.kubeconfig }
  return runTurbolift(['prune', '-n', site.space.name, ...args], { environment })
}

test('removes what has no run any more, and leaves what has one', async () => {
  const { client } = site.space
  await using held = await holdRun(site.space, 'alive', 1)
  const labels = { 'app.kubernetes.io/managed-by': 'turbolift', 'turbolift.dev/run': 'dead' }
  await client.create('ConfigMap', { metadata: { name: 'left', labels } })
  await client.create('ConfigMap', {
    metadata: { name: 'kept', labels: { ...labels, 'turbolift.dev/run': held.run.id } },
  })
  expect((await prune('--dry-run')).stdout).toBe('ConfigMap left would be removed\n')
  expect(await prune()).toMatchObject({ code: 0, stdout: 'ConfigMap left is gone\n', stderr: '' })
  expect(await client.read('ConfigMap', 'left')).toBeUndefined()
  expect(await client.read('ConfigMap', 'kept')).toBeDefined()
  expect((await prune()).stdout).toBe('There was nothing to remove.\n')
})

test('removes images that no pod uses', async () => {
  const { signal } = site.request
  const registry = new Registry({ host: REGISTRY, isInsecure: true, credentials: undefined })
  const used = await createImageDelivery({ ...imageOptions, builder: 'append' }).deliver(site.request)
  const spec = { containers: [{ name: 'main', image: used.image }] }
  await site.space.client.create('Pod', { metadata: { name: 'user' }, spec })
  writeFileSync(join(site.request.folder, 'more.js'), '')
  const unused = await createImageDelivery({ ...imageOptions, builder: 'append' }).deliver(site.request)
  const { stdout } = await prune('--images', '--program', 'test-prune')
  expect(stdout).toMatch(new RegExp(`^image ${REGISTRY}/turbolift-test-prune:[0-9a-f]{40} is gone$`, 'm'))
  const find = (image: string) => registry.findManifest('turbolift-test-prune', image.split('@')[1] ?? '', { signal })
  expect(await find(unused.image)).toBeUndefined()
  expect(await find(used.image)).toBeDefined()
})

test('images need a program', async () => {
  expect(await prune('--images')).toMatchObject({ code: 2, stderr: expect.stringContaining('--program') })
})
