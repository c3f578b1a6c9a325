import { expect, test, vi } from 'vitest'
import { parseAllDocuments } from 'yaml'

import { writeBundle } from '../../test/bundle.ts'
import type { ConfigInput } from '../config.ts'
import { plan } from './plan.ts'

interface Planned {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly ownerReferences?: readonly { readonly kind: string }[] }
  readonly [field: string]: unknown
}

async function planOf(options: ConfigInput): Promise<{ readonly objects: readonly Planned[]; readonly text: string }> {
  using bundle = writeBundle(options)
  const lines: string[] = []
  const output = { print: (line: string) => lines.push(line), note: () => undefined }
  // Nothing here may look for a cluster.
  vi.stubEnv('KUBECONFIG', '/nonexistent')
  const code = await plan.run({ values: {}, positionals: [bundle.path], output, signal: AbortSignal.timeout(30_000) })
  vi.unstubAllEnvs()
  expect(code).toBe(0)
  const text = lines.join('\n')
  const objects: readonly Planned[] = parseAllDocuments(text).map((document) => document.toJS())
  return { objects, text }
}

function names(objects: readonly Planned[]): readonly string[] {
  return objects
    .map(({ kind, metadata }) => `${kind} ${metadata.name.replace(/^tl-planned-[a-z0-9]{10}/, '')}`)
    .toSorted()
}

test('an image build shows anchor, build pod, and a Deployment for each pool', async () => {
  const { objects, text } = await planOf({ kubernetes: { image: { registry: 'registry.example/team' } } })
  expect(text).toMatch(/^apiVersion: batch\/v1\nkind: Job\nmetadata:/)
  expect(names(objects)).toEqual([
    'Deployment -big',
    'Deployment -default',
    'Job ',
    'NetworkPolicy -workers',
    'Pod -build',
    'Secret -access',
  ])
  expect(text).toMatch(/image: registry\.example\/team\/turbolift-planned:[0-9a-f]{40}/)
  expect(text).toContain('--context=tar://stdin')
})

test('everything but the anchor has it for an owner', async () => {
  const { objects } = await planOf({ kubernetes: { delivery: 'mount' } })
  const owners = objects.map(({ kind, metadata }) => [kind, metadata.ownerReferences?.[0]?.kind])
  expect(owners.filter(([kind]) => kind !== 'Job').every(([, owner]) => owner === 'Job')).toBe(true)
})

test('secrets and archives are not printed', async () => {
  const { objects, text } = await planOf({ kubernetes: { delivery: 'mount' } })
  const secret = objects.find(({ kind }) => kind === 'Secret')
  expect(Object.values(secret?.['stringData'] ?? {})).toEqual(Array.from({ length: 3 }, () => '(made for each run)'))
  expect(text).not.toContain('PRIVATE KEY')
  expect(text).toMatch(/part-000: \(\d+ bytes\)/)
})

test('without a registry, the one of the run is shown', async () => {
  const { objects } = await planOf({})
  expect(names(objects)).toEqual(expect.arrayContaining(['Deployment -registry', 'Service -registry']))
})

test('options for routes and scaling show, and so do patches', async () => {
  const { objects, text } = await planOf({
    kubernetes: {
      delivery: 'mount',
      autoscale: 'cpu',
      ingress: { host: 'lift.example' },
      patch: { Deployment: { metadata: { labels: { team: 'blue' } } } },
    },
  })
  expect(names(objects)).toEqual(
    expect.arrayContaining(['HorizontalPodAutoscaler -big', 'Ingress -default', 'Service -default']),
  )
  expect(text).toContain('host: lift.example')
  expect(text.match(/team: blue/g)).toHaveLength(2)
})

test('without a bundle there is nothing to plan', async () => {
  const output = { print: () => undefined, note: () => undefined }
  const run = plan.run({ values: {}, positionals: [], output, signal: AbortSignal.timeout(1000) })
  await expect(run).rejects.toMatchObject({ code: 'COMMAND_USAGE' })
})
