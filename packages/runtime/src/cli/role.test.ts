import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'

import { writeBundle } from '../../test/bundle.ts'
import type { ConfigInput } from '../config.ts'
import { role } from './role.ts'

interface PrintedRole {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly rules?: readonly PrintedRule[]
}

interface PrintedRule {
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
}

async function rolesOf(
  options: ConfigInput,
  values: Readonly<Record<string, string | boolean>> = {},
): Promise<readonly PrintedRole[]> {
  using bundle = writeBundle(options)
  const lines: string[] = []
  const output = { print: (line: string) => lines.push(line), note: () => undefined }
  const signal = AbortSignal.timeout(10_000)
  await role.run({ values: { bundle: bundle.path, ...values }, positionals: [], output, signal })
  return parseAllDocuments(lines.join('\n')).map((document) => document.toJS())
}

async function rulesOf(
  options: ConfigInput,
  values?: Readonly<Record<string, string | boolean>>,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const rules = (await rolesOf(options, values)).find(({ kind }) => kind === 'Role')?.rules ?? []
  return Object.fromEntries(
    rules.map(({ resources, resourceNames = [], verbs }) => [[...resources, ...resourceNames].join(' '), verbs]),
  )
}

test('an account, a role and their binding, in the namespace of the options', async () => {
  const objects = await rolesOf({ kubernetes: { namespace: 'batch' } }, { name: 'lifts' })
  expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`)).toEqual([
    'ServiceAccount batch/lifts',
    'Role batch/lifts',
    'RoleBinding batch/lifts',
  ])
})

test('no configuration may read or list secrets but one, or use resources of the whole cluster', async () => {
  const rules = await rulesOf({ kubernetes: { autoscale: 'cpu', ingress: { host: 'x' } } }, { maintenance: true })
  expect(rules['secrets']).toEqual(['create'])
  expect(rules['secrets turbolift-registry']).toEqual(['get', 'patch', 'delete'])
  expect(rules['configmaps turbolift-images']).toEqual(['get', 'patch'])
  for (const resource of ['nodes', 'namespaces', 'roles', 'pods/exec', '*'])
    expect(rules).not.toHaveProperty([resource])
})

test('only a build in the cluster creates pods and attaches to them', async () => {
  expect((await rulesOf({}))['pods']).toContain('create')
  for (const kubernetes of [{ delivery: 'mount' }, { image: { builder: 'append' } }] as const) {
    const rules = await rulesOf({ kubernetes })
    expect(rules['pods']).not.toContain('create')
    expect(rules).not.toHaveProperty(['pods/attach'])
  }
})

test('the login of the registry in the namespace is read only where that is used', async () => {
  expect((await rulesOf({}))['secrets turbolift-registry']).toEqual(['get'])
  for (const kubernetes of [{ delivery: 'mount' }, { image: { registry: 'registry.example' } }] as const)
    expect(await rulesOf({ kubernetes })).not.toHaveProperty(['secrets turbolift-registry'])
})

test('options add what they need', async () => {
  expect(await rulesOf({ kubernetes: { autoscale: 'cpu' } })).toHaveProperty('horizontalpodautoscalers')
  expect(await rulesOf({ kubernetes: { ingress: { host: 'x' } } })).toHaveProperty('ingresses')
  expect(await rulesOf({ kubernetes: { ingress: { host: 'x', gateway: { name: 'g' } } } })).toHaveProperty('httproutes')
  expect(await rulesOf({ kubernetes: { networkPolicy: false } })).not.toHaveProperty('networkpolicies')
})
