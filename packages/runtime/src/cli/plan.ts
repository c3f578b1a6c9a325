import { join } from 'node:path'

import type { KubernetesObject } from '@kubernetes/client-node'
import { createTemporaryFolder } from '@turbolift/worker-base/folders'

import type { ResolvedConfig } from '../config.ts'
import { createMountDelivery } from '../deliver/mount.ts'
import { openPool } from '../deploy/pool.ts'
import { openRun } from '../deploy/run.ts'
import { extractFiles } from '../extract.ts'
import type { LiftManifest } from '../manifest.ts'
import { clusterExplanations, clusterOptions, readConfig } from './cluster.ts'
import { type Command, wrongUsage } from './command.ts'
import { createPlannedImage } from './planned-image.ts'
import { createRecorder } from './recorder.ts'
import { toYaml } from './yaml-text.ts'

export const plan: Command = {
  about: 'Prints the objects that a run of a built program creates, as YAML, without a cluster.',
  usage: '[<bundle>]',
  options: clusterOptions,
  explain: clusterExplanations,
  async run(call) {
    const [bundle, ...rest] = call.positionals
    if (rest.length > 0) throw wrongUsage('"turbolift plan" takes one bundle.', 'Write "turbolift plan dist/main.js".')
    const values = bundle === undefined ? call.values : { ...call.values, bundle }
    const { config, manifest } = readConfig({ ...call, values })
    if (manifest === undefined)
      throw wrongUsage(
        '"turbolift plan" needs a built program, and there is no dist/main.js.',
        'Build it, or write "turbolift plan path/to/main.js".',
      )
    const objects = await planRun(config, manifest, call.signal)
    call.output.print(toYaml(objects.map(toPrintable)))
    return 0
  },
}

/** A run against a client that writes down what it is told to create: what is printed is what runs do. */
async function planRun(
  config: ResolvedConfig,
  manifest: LiftManifest,
  signal: AbortSignal,
): Promise<readonly KubernetesObject[]> {
  const recorder = createRecorder(config.kubernetes.namespace ?? 'default')
  using temporary = createTemporaryFolder()
  const { delivery: way, image } = config.kubernetes
  const stock = image?.baseImage ?? `node:${process.versions.node.split('.')[0]}-slim`
  const delivery = way === 'mount' ? createMountDelivery({ image: stock }) : createPlannedImage(image ?? {})
  const files = extractFiles(manifest, join(temporary.path, 'code'))
  const run = await openRun({
    client: recorder.client,
    config: config.kubernetes,
    manifest,
    delivery,
    folder: files,
    onLog: () => undefined,
    signal,
  })
  const events = {
    onWorker: () => undefined,
    onWorkerGone: () => undefined,
    onRefused: () => undefined,
    onFailed: () => undefined,
  }
  for (const pool of toPools(manifest)) {
    const request = { manifest, pool, events, signal }
    const deployment = await openPool({
      run,
      request,
      pool: config.pool(pool),
      cluster: config.kubernetes,
      programArguments: [],
    })
    await deployment[Symbol.asyncDispose]()
  }
  await run[Symbol.asyncDispose]()
  return recorder.objects
}

function toPools({ functions }: LiftManifest): readonly string[] {
  return [...new Set(Object.values(functions).map(({ pool }) => pool))].toSorted()
}

/** Secrets differ in each run, and archives say nothing to people. */
function toPrintable(object: object): object {
  const hide = (fields: unknown, toText: (text: string) => string) =>
    Object.fromEntries(Object.entries(fields ?? {}).map(([key, value]) => [key, toText(String(value))]))
  const { apiVersion, kind, ...fields } = { apiVersion: '', kind: '', ...object }
  return {
    apiVersion,
    kind,
    ...fields,
    ...('stringData' in object ? { stringData: hide(object.stringData, () => '(made for each run)') } : {}),
    ...('binaryData' in object
      ? { binaryData: hide(object.binaryData, (text) => `(${Math.ceil((text.length * 3) / 4)} bytes)`) }
      : {}),
  }
}
