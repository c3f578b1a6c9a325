import { compare } from 'bcryptjs'
import { expect, test } from 'vitest'

import { createLogin, readLogin } from './registry-login.ts'
import { toRegistryObjects } from './registry-objects.ts'

const login = createLogin()
const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'tl-x', uid: 'u' }
const pushers = [{ podSelector: { matchLabels: { 'turbolift.dev/role': 'build' } } }]
const request = { name: 'r', namespace: 'n', labels: {}, image: 'registry:3', storage: undefined, login, pushers }

test('each registry has a login of its own, which the registry knows by its hash', async () => {
  const { secret } = await toRegistryObjects({ ...request, owner })
  const [name, hash = ''] = (secret.stringData?.['htpasswd'] ?? '').trim().split(':')
  expect([name, await compare(login.password, hash)]).toEqual([login.username, true])
  expect(createLogin().password).not.toBe(login.password)
  expect(Object.keys(secret.stringData ?? {})).toEqual(['htpasswd'])
})

test('one that stays keeps its login where programs find it', async () => {
  const { secret } = await toRegistryObjects({ ...request, owner: undefined })
  const encoded = Object.entries(secret.stringData ?? {}).map(([key, text]) => [
    key,
    Buffer.from(text).toString('base64'),
  ])
  expect(readLogin({ data: Object.fromEntries(encoded) })).toEqual(login)
  expect(readLogin({ data: {} })).toBeUndefined()
})

test('nodes reach a side of it that cannot write, and that asks for the login too', async () => {
  const { deployment, service } = await toRegistryObjects({ ...request, owner })
  const [port] = service.spec?.ports ?? []
  const containers = deployment.spec?.template.spec?.containers ?? []
  const reached = containers.filter(({ ports }) =>
    ports?.some(({ containerPort }) => containerPort === port?.targetPort),
  )
  expect(reached.map(({ name }) => name)).toEqual(['pull'])
  expect(reached[0]?.volumeMounts?.find(({ name }) => name === 'images')?.readOnly).toBe(true)
  for (const { env } of containers)
    expect(env?.map(({ name }) => name)).toEqual(expect.arrayContaining(['REGISTRY_AUTH_HTPASSWD_PATH']))
})

test('only build pods get through to the side that writes', async () => {
  const { policy, service } = await toRegistryObjects({ ...request, owner })
  const rules: readonly unknown[] = policy.spec?.ingress ?? []
  const [pull] = service.spec?.ports ?? []
  expect(rules).toEqual([
    { ports: [{ port: pull?.targetPort, protocol: 'TCP' }] },
    { ports: [{ port: 5000, protocol: 'TCP' }], from: pushers },
  ])
})
