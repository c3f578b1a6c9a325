import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { managedSelector } from '../deploy/names.ts'
import { createTestNamespace, type TestNamespace } from '../../../../test/cluster/namespace.ts'
import { untilGone } from '../../../../test/cluster/wait.ts'
import { parseImageReference } from '../deliver/image-reference.ts'
import { Registry } from '../deliver/registry.ts'
import { buildEnvironment, builtInEnvironment } from '../../test/build-environment.ts'
import { BASE_IMAGE, REGISTRY } from '../../test/build-site.ts'
import { createLimitedAccount, runTurbolift } from '../../test/limited-account.ts'

let space: TestNamespace
beforeAll(async () => {
  space = await createTestNamespace('doctor')
})
afterAll(() => space[Symbol.asyncDispose]())

const steps = ['anchor', 'delivery', 'start', 'route', 'disposal', 'clean-up']

describe('with the permissions that "turbolift role" prints, and no others, all is well', () => {
  test.each([
    ['kaniko', buildEnvironment],
    ['append', { ...buildEnvironment, TURBOLIFT_BUILDER: 'append' }],
    ['built-in', builtInEnvironment],
    ['mount', { ...buildEnvironment, TURBOLIFT_DELIVERY: 'mount' }],
  ])('%s', async (name, environment) => {
    using account = await createLimitedAccount(space, { name, environment })
    const limited = { ...environment, KUBECONFIG: account.kubeconfig }
    const result = await runTurbolift(['doctor', '-n', space.name], { environment: limited })
    expect(result, result.stdout).toMatchObject({ code: 0, stderr: '' })
    for (const step of steps) expect(result.stdout).toMatch(new RegExp(`^ok +${step} `, 'm'))
    expect(result.stdout).not.toContain('FAIL')
    await untilGone(space.client, managedSelector, 20_000)
  })
})

test('files that are mounted into an image named by digest leave no image to remove', async () => {
  const { repository, reference } = parseImageReference(BASE_IMAGE)
  const registry = new Registry({ host: REGISTRY, isInsecure: true, credentials: undefined })
  const digest = await registry.findManifest(repository, reference, { signal: AbortSignal.timeout(10_000) })
  const environment = {
    ...buildEnvironment,
    TURBOLIFT_DELIVERY: 'mount',
    TURBOLIFT_BASE_IMAGE: `${BASE_IMAGE}@${digest}`,
  }
  const { stdout } = await runTurbolift(['doctor', '-n', space.name], { environment })
  expect(stdout).toMatch(/^ok +start /m)
  expect(stdout).toMatch(/^ok +disposal +everything that the doctor created is gone \(/m)
})

test('the report is JSON when asked', async () => {
  const result = await runTurbolift(['doctor', '-n', space.name, '--quick', '--json'], {
    environment: buildEnvironment,
  })
  const report: unknown = JSON.parse(result.stdout)
  expect(report).toMatchObject({
    namespace: space.name,
    findings: expect.arrayContaining([expect.objectContaining({ name: 'cluster', state: 'ok' })]),
  })
})

test('missing permissions are named, with the way to grant them', async () => {
  const environment = { ...buildEnvironment, TURBOLIFT_DELIVERY: 'mount' }
  using account = await createLimitedAccount(space, { name: 'mounts-only', environment })
  const limited = { ...buildEnvironment, KUBECONFIG: account.kubeconfig }
  const result = await runTurbolift(['doctor', '-n', space.name, '--quick'], { environment: limited })
  expect(result.code).toBe(1)
  expect(result.stdout).toMatch(/^FAIL +permissions +missing: create pods, delete pods, /m)
  expect(result.stdout).toMatch(/, get configmaps turbolift-images, patch configmaps turbolift-images, /)
  expect(result.stdout).toMatch(/, create pods\/attach, get pods\/attach \(/)
  expect(result.stdout).toContain('turbolift role | kubectl apply -f -')
})

test('doctor and a run agree whether the cluster asks who may own what', async () => {
  const environment = { TURBOLIFT_DELIVERY: 'mount' }
  using account = await createLimitedAccount(space, { name: 'owns-nothing', environment, without: 'jobs/finalizers' })
  const limited = { ...environment, KUBECONFIG: account.kubeconfig }
  const looked = await runTurbolift(['doctor', '-n', space.name, '--quick'], { environment: limited })
  const ran = await runTurbolift(['doctor', '-n', space.name], { environment: limited })
  // The cluster of "npm run test:cluster" does ask; another one may not.
  const asks = /^FAIL +delivery .*cannot set blockOwnerDeletion.*\n +fix: .*"update" on "jobs\/finalizers"/m.test(
    ran.stdout,
  )
  expect(looked.code, ran.stdout).toBe(asks ? 1 : 0)
  expect(looked.stdout).toMatch(asks ? /^FAIL +permissions +missing: update jobs\/finalizers /m : /^ok +permissions /m)
})

test('a restricted namespace is told to build by "append"', async () => {
  await using strict = await createTestNamespace('doctor', { 'pod-security.kubernetes.io/enforce': 'restricted' })
  const kaniko = await runTurbolift(['doctor', '-n', strict.name, '--quick'], { environment: buildEnvironment })
  expect(kaniko.code).toBe(1)
  expect(kaniko.stdout).toMatch(/^FAIL +namespace .*Kaniko cannot build/m)
  expect(kaniko.stdout).toMatch(/^FAIL +build pod +POD_SECURITY_REFUSED/m)
  const environment = { ...buildEnvironment, TURBOLIFT_BUILDER: 'append' }
  const append = await runTurbolift(['doctor', '-n', strict.name], { environment })
  expect(append, append.stdout).toMatchObject({ code: 0 })
})

test('a registry that does not answer is the delivery that fails', async () => {
  const environment = { ...buildEnvironment, TURBOLIFT_REGISTRY: '{"push":"198.19.255.1:5999","insecure":true}' }
  const result = await runTurbolift(['doctor', '-n', space.name], { environment })
  expect(result.code).toBe(1)
  expect(result.stdout).toMatch(/^FAIL +delivery +REGISTRY_UNREACHABLE/m)
  expect(result.stdout).toMatch(/^skip +start +not reached/m)
  await untilGone(space.client, managedSelector, 20_000)
})

test('a namespace that is missing', async () => {
  const result = await runTurbolift(['doctor', '-n', 'tl-none', '--quick'], { environment: buildEnvironment })
  expect(result.code).toBe(1)
  expect(result.stdout).toContain('kubectl create namespace tl-none')
})

test('no cluster', async () => {
  const result = await runTurbolift(['doctor'], { environment: { KUBECONFIG: '/nonexistent/kubeconfig' } })
  expect(result.code).toBe(1)
  expect(result.stderr).toContain('CLUSTER_NOT_CONFIGURED')
})
