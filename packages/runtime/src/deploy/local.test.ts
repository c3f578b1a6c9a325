import { expect, test } from 'vitest'

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
