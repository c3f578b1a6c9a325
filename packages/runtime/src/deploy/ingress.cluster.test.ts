import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request as requestPlain } from 'node:http'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createTestNamespace } from '../../../../test/cluster/namespace.ts'
import type { TestNamespace } from '../../../../test/cluster/namespace.ts'
import { startIngressController } from '../../../../test/cluster/nginx.ts'
import type { IngressController } from '../../../../test/cluster/nginx.ts'
import { listAll } from '../../../../test/cluster/wait.ts'
import { createClusterProgram } from '../../test/cluster-program.ts'
import { createCertificate } from './certificate.ts'
import { isRefusal } from './client.ts'
import { managedSelector } from './names.ts'

const host = 'lift.example'
const functions = {
  echo: 'async (value) => value',
  count: 'async function* (to) { for (let n = 0; n < to; n += 1) yield n }',
  nap: 'async (ms) => new Promise((resolve) => setTimeout(resolve, ms, process.env.HOSTNAME))',
}

let space: TestNamespace
let controller: IngressController
let caFolder: string
beforeAll(async () => {
  space = await createTestNamespace('ingress')
  controller = await startIngressController(space.client)
  const { certificate, key } = createCertificate({ host })
  const stringData = { 'tls.crt': certificate, 'tls.key': key }
  await space.client.create('Secret', { metadata: { name: 'lift-tls' }, type: 'kubernetes.io/tls', stringData })
  caFolder = mkdtempSync(join(tmpdir(), 'turbolift-ca-'))
  writeFileSync(join(caFolder, 'ca.pem'), certificate)
})
afterAll(async () => {
  await controller[Symbol.asyncDispose]()
  await space[Symbol.asyncDispose]()
  rmSync(caFolder, { recursive: true })
})

describe.each(['http', 'https'] as const)('through nginx by %s', (scheme) => {
  const open = (path?: string) => {
    const tls = scheme === 'https' ? { tls: 'lift-tls', caFile: join(caFolder, 'ca.pem') } : {}
    const route = { host, address: '127.0.0.1', port: controller.port, class: controller.class }
    const ingress = { ...route, ...tls, ...(path === undefined ? {} : { path }) }
    const resources = { cpu: '50m', memory: '192Mi' }
    return createClusterProgram('routed', functions, {
      maxReplicas: 2,
      kubernetes: { namespace: space.name, delivery: 'mount', reach: 'ingress', resources, ingress },
    })
  }

  /** What people do with curl. */
  const post = async (path: string, token: string) => {
    const headers = { host, authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const options = { host: '127.0.0.1', port: controller.port, path, method: 'POST', headers }
    const ca = readFileSync(join(caFolder, 'ca.pem'))
    const asked = scheme === 'https' ? request({ ...options, ca, servername: host }) : requestPlain(options)
    asked.end(JSON.stringify([['as curl does it']]))
    const [response] = await once(asked, 'response')
    return { status: response.statusCode, body: await text(response) }
  }

  test('10 MB there and back, a stream, and calls on two workers; nothing is left', async () => {
    await using program = open()
    const large = new Uint8Array(10 * 1024 * 1024).map((_, index) => index % 253)
    const back = await program.lifted('echo')(large)
    expect(back instanceof Uint8Array && Buffer.compare(back, large)).toBe(0)
    const counted: unknown[] = []
    for await (const value of program.streamed('count')(500)) counted.push(value)
    expect(counted).toHaveLength(500)
    const names = await Promise.all(Array.from({ length: 8 }, () => program.lifted('nap')(300)))
    expect(names.every((name) => typeof name === 'string')).toBe(true)
    await program[Symbol.asyncDispose]()
    expect(await listAll(space.client, managedSelector)).toEqual([])
  })

  test('by a path of the user’s own', async () => {
    await using program = open('/mine')
    expect(await program.lifted('echo')('hello')).toBe('hello')
    const [ingress] = await space.client.list('Ingress')
    expect(ingress?.spec?.rules?.[0]?.http?.paths[0]?.path).toBe('/mine/')
    const [access] = await space.client.list('Secret', { labelSelector: managedSelector })
    const token = Buffer.from(access?.data?.['token'] ?? '', 'base64').toString()
    expect(await post('/mine/call/src/main.ts%23echo', token)).toEqual({ status: 200, body: '["as curl does it"]' })
    expect(await post('/mine/call/src/main.ts%23echo', 'wrong')).toMatchObject({ status: 401 })
  })
})

// A gateway itself does not build from modules alone: that traffic gets through one is not tested.
test('an HTTPRoute is what the Gateway API takes, and goes with the run', async ({ skip }) => {
  const definition = await space.client.list('HTTPRoute').catch((error: unknown) => {
    if (isRefusal(error, 'NotFound')) return undefined
    throw error
  })
  if (definition === undefined) skip('The Gateway API is not installed in this cluster.')
  const resources = { cpu: '50m', memory: '192Mi' }
  const ingress = { host, path: '/mine', gateway: { name: 'shared', namespace: 'gateways' } }
  await using program = createClusterProgram('gateway', functions, {
    kubernetes: { namespace: space.name, delivery: 'mount', reach: 'port-forward', resources, ingress },
  })
  expect(await program.lifted('echo')('hello')).toBe('hello')
  const [route] = await space.client.list('HTTPRoute')
  expect(route).toMatchObject({
    spec: {
      hostnames: [host],
      parentRefs: [{ name: 'shared', namespace: 'gateways' }],
      rules: [{ matches: [{ path: { value: '/mine' } }], backendRefs: [{ port: 80 }] }],
    },
  })
  await program[Symbol.asyncDispose]()
  expect(await space.client.list('HTTPRoute')).toEqual([])
  expect(await listAll(space.client, managedSelector)).toEqual([])
})
