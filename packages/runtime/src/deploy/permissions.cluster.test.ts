import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { createTestNamespace } from '../../../../test/cluster/namespace.ts'
import type { TestNamespace } from '../../../../test/cluster/namespace.ts'
import { listAll } from '../../../../test/cluster/wait.ts'
import { createClusterProgram } from '../../test/cluster-program.ts'
import type { ConfigInput, KubernetesInput } from '../config.ts'
import { resolveConfig } from '../config/resolve.ts'
import { openClient } from './client.ts'
import { loadKubeconfig } from './client/kubeconfig.ts'
import { managedSelector } from './names.ts'
import { toPermissions, toRole, toRoleBinding, toServiceAccount } from './permissions.ts'
import type { Permission } from './permissions.ts'

let space: TestNamespace
let folder: string
const before = process.env['KUBECONFIG']
beforeAll(async () => {
  space = await createTestNamespace('permissions')
  folder = mkdtempSync(join(tmpdir(), 'turbolift-permissions-'))
})
afterEach(() => {
  process.env['KUBECONFIG'] = before
})
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await space[Symbol.asyncDispose]()
})

const functions = { square: 'async (n) => n * n' }
const on = (more: KubernetesInput = {}) => ({
  kubernetes: {
    namespace: space.name,
    delivery: 'mount' as const,
    resources: { cpu: '50m', memory: '192Mi' },
    ...more,
  },
})

describe('with a token that has', () => {
  test('the Role that the command prints, a run works and leaves nothing', async () => {
    const options = on({ reach: 'port-forward' })
    await grant('enough', toGranted(options))
    process.env['KUBECONFIG'] = await writeKubeconfig('enough')
    await using program = createClusterProgram('permitted', functions, options)
    expect(await Promise.all([1, 2, 3].map(program.lifted('square')))).toEqual([1, 4, 9])
    await program[Symbol.asyncDispose]()
    expect(await listAll(space.client, managedSelector)).toEqual([])
  })

  test('a Role without the verb of its signs of life, a run ends for that reason', async () => {
    const options = on({ reach: 'port-forward', graceMs: 4_000 })
    const lacking = toGranted(options).map(({ verbs, ...one }) => {
      return { ...one, verbs: one.resource === 'jobs' ? verbs.filter((verb) => verb !== 'patch') : verbs }
    })
    await grant('silent', lacking)
    process.env['KUBECONFIG'] = await writeKubeconfig('silent')
    await using program = createClusterProgram('silenced', { echo: 'async (value) => value' }, options)
    const outcome = () =>
      program
        .lifted('echo')(1)
        .catch((error: unknown) => error)
    await expect.poll(outcome, { timeout: 60_000, interval: 500 }).toMatchObject({
      code: 'RUN_EXPIRED',
      message: expect.stringMatching(/signs of life failed.*cannot patch resource "jobs".*turbolift role/s),
    })
  })

  test('no Role, the error names the verb, the resource and the command', async () => {
    await space.client.create('ServiceAccount', { metadata: { name: 'nothing' } })
    process.env['KUBECONFIG'] = await writeKubeconfig('nothing')
    await using program = createClusterProgram('refused', functions, on())
    await expect(program.lifted('square')(1)).rejects.toMatchObject({
      code: 'CLUSTER_PERMISSION_DENIED',
      message: expect.stringMatching(/cannot create resource "jobs".*turbolift role/s),
    })
  })
})

test('a cluster that does not answer is an error that says where', async () => {
  const path = join(folder, 'nowhere')
  writeFileSync(path, toKubeconfig({ server: 'https://127.0.0.1:9' }, {}))
  process.env['KUBECONFIG'] = path
  await using program = createClusterProgram('nowhere', functions, on())
  await expect(program.lifted('square')(1)).rejects.toMatchObject({
    code: 'CLUSTER_UNREACHABLE',
    message: expect.stringMatching(/https:\/\/127\.0\.0\.1:9 .*ECONNREFUSED/s),
  })
})

test('a context that does not exist is an error that names those that do', async () => {
  const opening = openClient({ context: 'none' })
  await expect(opening).rejects.toMatchObject({
    code: 'CLUSTER_NOT_CONFIGURED',
    message: expect.stringMatching(/"none"/),
  })
})

function toGranted(options: ConfigInput): readonly Permission[] {
  return toPermissions(resolveConfig({ manifest: options, environment: {}, configured: [] }).kubernetes)
}

async function grant(name: string, permissions: readonly Permission[]): Promise<void> {
  const names = { name, namespace: space.name }
  await space.client.create('ServiceAccount', toServiceAccount(names))
  await space.client.create('Role', toRole({ ...names, permissions }))
  await space.client.create('RoleBinding', toRoleBinding(names))
}

/** A kubeconfig with a token of the account, and nothing else. */
async function writeKubeconfig(account: string): Promise<string> {
  const path = `/api/v1/namespaces/${space.name}/serviceaccounts/${account}/token`
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }
  const answer = await space.client.request({ method: 'POST', path, body })
  const { status } = JSON.parse(answer.body)
  const file = join(folder, account)
  const cluster = loadKubeconfig({}).getCurrentCluster()
  const where = {
    server: cluster?.server,
    'certificate-authority': cluster?.caFile,
    'certificate-authority-data': cluster?.caData,
  }
  writeFileSync(file, toKubeconfig(where, { token: status.token }))
  return file
}

function toKubeconfig(cluster: object, user: object): string {
  return JSON.stringify({
    'current-context': 'test',
    clusters: [{ name: 'test', cluster }],
    users: [{ name: 'test', user }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
  })
}
