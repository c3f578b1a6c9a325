import { describe, expect, test } from 'vitest'

import { checkPools, resolveConfig } from './resolve.ts'
import type { ConfigSources } from './resolve.ts'

const none: ConfigSources = { manifest: {}, environment: {}, configured: [] }
const resolve = (sources: Partial<ConfigSources>) => resolveConfig({ ...none, ...sources })

describe('layers', () => {
  test('defaults hold when nobody sets anything', () => {
    expect(resolve({}).run).toMatchObject({ target: 'local', workerOutput: 'labelled', cacheFolder: undefined })
    expect(resolve({}).pool('default')).toMatchObject({ maxReplicas: undefined, minReplicas: 0, idleTimeoutMs: 30_000 })
  })

  test('configure() wins over the environment, and that over the plugin options', () => {
    const manifest = { target: 'kubernetes', maxReplicas: 2, minReplicas: 1 }
    const environment = { TURBOLIFT_MAX_REPLICAS: '3', TURBOLIFT_TARGET: 'inline' }
    const config = resolve({ manifest, environment, configured: [{ maxReplicas: 4 }, { maxReplicas: 5 }] })
    expect(config.run.target).toBe('inline')
    expect(config.pool('any')).toMatchObject({ maxReplicas: 5, minReplicas: 1 })
  })

  test('what a pool says wins over what the same layer says for all pools', () => {
    const manifest = { concurrency: 2, pools: { big: { concurrency: 8 } } }
    const config = resolve({ manifest, configured: [{ pools: { big: { minReplicas: 3 } } }] })
    expect(config.pool('big')).toMatchObject({ concurrency: 8, minReplicas: 3 })
    expect(config.pool('constructor')).toMatchObject({ concurrency: 2, minReplicas: 0 })
  })

  test('options of the cluster are layered key by key', () => {
    const manifest = { kubernetes: { namespace: 'a', context: 'c' } }
    const config = resolve({ manifest, environment: { TURBOLIFT_NAMESPACE: 'b' } })
    expect(config.kubernetes).toMatchObject({ namespace: 'b', context: 'c' })
  })

  test('an ingress is the way to the workers, unless another one is named', () => {
    const ingress = { host: 'lift.example' }
    expect(resolve({ manifest: { kubernetes: { ingress } } }).kubernetes.reach).toBe('ingress')
    expect(resolve({ manifest: { kubernetes: { ingress, reach: 'direct' } } }).kubernetes.reach).toBe('direct')
    expect(resolve({}).kubernetes.reach).toBe('auto')
  })

  test('an empty variable and an undefined option count as not set', () => {
    const config = resolve({ manifest: { maxReplicas: undefined }, environment: { TURBOLIFT_TARGET: '' } })
    expect(config.run.target).toBe('local')
  })
})

describe('refused', () => {
  const cases: readonly [string, Partial<ConfigSources>, string, RegExp][] = [
    ['unknown option', { manifest: { tagret: 'local' } }, 'OPTION_UNKNOWN', /turbolift\(\{ tagret \}\).*"target"/s],
    [
      'unknown option of a pool',
      { manifest: { pools: { a: { maxReplica: 1 } } } },
      'OPTION_UNKNOWN',
      /pools: \{ a: \{ maxReplica \} \} \}\).*"maxReplicas"/s,
    ],
    [
      'unknown option of the cluster',
      { manifest: { kubernetes: { namspace: 'x' } } },
      'OPTION_UNKNOWN',
      /kubernetes: \{ namspace \} \}\)/,
    ],
    [
      'way through an ingress that is not set up',
      { manifest: { kubernetes: { reach: 'ingress' } } },
      'OPTION_INVALID',
      /"ingress".*kubernetes\.ingress/s,
    ],
    ['inherited name', { manifest: { toString: 1 } }, 'OPTION_UNKNOWN', /toString/],
    ['word', { manifest: { target: 'cloud' } }, 'OPTION_INVALID', /"cloud".*one of "local", "kubernetes", "inline"/s],
    ['number', { manifest: { maxReplicas: 0 } }, 'OPTION_INVALID', /got 0.*at least 1/s],
    ['fraction', { manifest: { maxReplicas: 1.5 } }, 'OPTION_INVALID', /whole number/],
    [
      'unit in a variable',
      { environment: { TURBOLIFT_TIMEOUT_MS: '30s' } },
      'OPTION_INVALID',
      /TURBOLIFT_TIMEOUT_MS: got "30s".*without a unit/s,
    ],
    ['misspelt variable', { environment: { TURBOLIFT_TAGRET: 'x' } }, 'VARIABLE_UNKNOWN', /TURBOLIFT_TARGET/],
    ['no object', { manifest: 'local' }, 'OPTION_INVALID', /an object/],
    ['no pool object', { manifest: { pools: { a: 1 } } }, 'OPTION_INVALID', /pools: \{ a \} \}\): got 1/],
  ]
  test.each(cases)('%s', (_, sources, code, message) => {
    expect(() => resolve(sources)).toThrow(
      expect.objectContaining({ name: 'ConfigError', code, message: expect.stringMatching(message) }),
    )
  })

  test('variables of other programs are left alone', () => {
    expect(resolve({ environment: { TURBOLIFT_SOMETHING_ELSE: '1' } }).run.target).toBe('local')
  })
})

describe('options of the image', () => {
  const image = (
    manifest: unknown,
    environment: Record<string, string>,
    configured: ConfigSources['configured'] = [],
  ) => resolveConfig({ manifest, environment, configured }).kubernetes.image

  test('add to each other from all layers', () => {
    const written = { kubernetes: { image: { builder: 'append', kaniko: { memory: '1Gi' } } } }
    const configured = [{ kubernetes: { image: { kaniko: { cpu: '1' } } } }]
    const environment = { TURBOLIFT_REGISTRY: 'r:5000', TURBOLIFT_KANIKO_IMAGE: 'k:1' }
    expect(image(written, environment, configured)).toMatchObject({
      builder: 'append',
      registry: 'r:5000',
      kaniko: { memory: '1Gi', cpu: '1', image: 'k:1' },
    })
  })

  test('are none when nobody sets any', () => {
    expect(image({}, {})).toEqual({})
  })

  test('a registry is a name or an object', () => {
    const registry = '{"push":"a:5000","pull":"localhost:5000","insecure":true}'
    expect(image({}, { TURBOLIFT_REGISTRY: registry })?.registry).toMatchObject({ pull: 'localhost:5000' })
    expect(() => image({}, { TURBOLIFT_REGISTRY: '{"pull":"a"}' })).toThrow(/TURBOLIFT_REGISTRY/)
    expect(() => image({ kubernetes: { image: { registry: { push: 'a', pul: 'b' } } } }, {})).toThrow(/registry/)
  })

  test('an unknown one is refused at its place', () => {
    expect(() => image({ kubernetes: { image: { kaniko: { memori: '1Gi' } } } }, {})).toThrow(/memory/)
  })
})

describe('numbers and names that make no sense are refused', () => {
  test.each([
    ['more workers at least than at most', { minReplicas: 5, maxReplicas: 2 }, /minReplicas.*maxReplicas/s],
    ['more threads than a worker can have', { concurrency: 1000 }, /from 1 to 256/],
    ['no time to start', { startTimeoutMs: 0 }, /startTimeoutMs/],
    ['no grace', { kubernetes: { graceMs: 0 } }, /graceMs/],
    ['no time for a build', { kubernetes: { image: { kaniko: { timeoutMs: 0 } } } }, /kaniko/],
    ['no number', { timeoutMs: Number.NaN }, /timeoutMs/],
  ])('%s', (_, manifest, message) => {
    expect(() => resolve({ manifest })).toThrow(message)
  })

  test('pools that no function names', () => {
    const configured = [{ pools: { haevy: { maxReplicas: 1 } } }]
    expect(() => checkPools(configured, ['default', 'heavy'])).toThrow(/Did you mean "heavy"/)
    checkPools([{ pools: { heavy: {} } }], ['default', 'heavy'])
  })
})
