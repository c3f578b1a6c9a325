import { expect, test, vi } from 'vitest'

import { toManifest } from '../../test/program.ts'
import { resolveConfig } from '../config/resolve.ts'
import { createRunFolder } from '../dispose/run-folder.ts'
import { createLocalPlatform } from './local.ts'

test('workers that are told to stop while they start are no failed starts', async () => {
  using runFolder = createRunFolder()
  const config = resolveConfig({ manifest: {}, environment: {}, configured: [] })
  const failures: Error[] = []
  await using platform = createLocalPlatform({ config, runFolder })
  await new Promise<void>((resolve, reject) => {
    const start = async () => {
      const deployment = await platform.deploy({
        manifest: await toManifest({ functions: 'square: async (n) => n * n,', main: '' }),
        pool: 'default',
        signal: new AbortController().signal,
        events: {
          onWorker: ({ id }) => (id === 'worker-6' ? resolve() : reject(new Error(`${id} was told to stop.`))),
          onWorkerGone: () => undefined,
          onRefused: (_, error) => failures.push(error),
          onFailed: (error) => failures.push(error),
        },
      })
      for (let turn = 0; turn < 5; turn += 1) {
        deployment.scaleTo(1)
        deployment.scaleTo(0)
      }
      deployment.scaleTo(1)
    }
    start().catch(reject)
  })
  expect(failures).toEqual([])
})

test('where the system refuses a process, the pool is told so, and asked again it tries again', async () => {
  using runFolder = createRunFolder()
  const config = resolveConfig({ manifest: {}, environment: {}, configured: [] })
  await using platform = createLocalPlatform({ config, runFolder })
  const refusals: unknown[] = []
  let resolveStarted = (_id: string): void => undefined
  const started = new Promise<string>((resolve) => (resolveStarted = resolve))
  const deployment = await platform.deploy({
    manifest: await toManifest({ functions: 'square: async (n) => n * n,', main: '' }),
    pool: 'default',
    signal: new AbortController().signal,
    events: {
      onWorker: ({ id }) => resolveStarted(id),
      onWorkerGone: () => undefined,
      onRefused: (replicas, { code }) => refusals.push([replicas, code]),
      onFailed: ({ code }) => refusals.push(code),
    },
  })
  vi.stubEnv('TOO_LARGE', 'x'.repeat(300_000))
  deployment.scaleTo(2)
  deployment.scaleTo(1)
  vi.unstubAllEnvs()
  deployment.scaleTo(1)
  expect(await started).toMatch('worker-')
  expect(refusals).toEqual([
    [0, 'PROCESS_REFUSED'],
    [0, 'PROCESS_REFUSED'],
  ])
})
