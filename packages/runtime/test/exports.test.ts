import { expect, test } from 'vitest'

import * as main from '../src/index.ts'
import * as worker from '../src/worker.ts'

test('the names of the package: to change them is to change the API', () => {
  expect(Object.keys(main).toSorted()).toMatchInlineSnapshot(`
    [
      "BuildError",
      "CallTimeoutError",
      "CancelledError",
      "ConfigError",
      "DeployError",
      "FatalError",
      "LiftError",
      "MapFailedError",
      "OutOfMemoryError",
      "RemoteError",
      "RetryableError",
      "TransferError",
      "WorkerLostError",
      "configure",
      "forEach",
      "lift",
      "liftContext",
      "map",
      "on",
      "onWorkerStart",
      "onWorkerStop",
      "shared",
      "starmap",
    ]
  `)
})

test('code that is lifted finds the same names in a worker', () => {
  expect(Object.keys(worker).toSorted()).toEqual(Object.keys(main).toSorted())
})
