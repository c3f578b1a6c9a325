import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { type Cluster, createNamespace, kubectl, readCluster, watchPods } from './cluster.ts'
import { buildFirstResult, timeFirstResult } from './first-result.ts'
import { type Section } from './report.ts'
import { measureByTurns } from './rounds.ts'

const ROUNDS = 7

/** From the start of a program to its first result from a pod, beside what Kubernetes and Kaniko need for themselves. */
export async function benchColdStart(): Promise<Section> {
  const cluster = readCluster()
  const folder = await mkdtemp(join(process.cwd(), 'dist-cold-start-'))
  try {
    await using namespace = await createNamespace()
    const times = await measure({ cluster, folder, namespace: namespace.name })
    return toSection(times)
  } finally {
    await rm(folder, { recursive: true })
  }
}

interface Site {
  readonly cluster: Cluster
  readonly folder: string
  readonly namespace: string
}

async function measure(site: Site): Promise<Map<string, number>> {
  const mark = newMark()
  const main = await buildFirstResult(join(site.folder, 'same'), mark)
  const run = (delivery: string) => timeFirstResult(main, mark, toEnvironment(site, delivery))
  return await measureByTurns(
    [
      { name: 'pod', measure: () => timePod(site) },
      { name: 'mount', measure: () => run('mount') },
      { name: 'image', measure: createCheckedRun(site.namespace, () => run('image')) },
      { name: 'kaniko', measure: () => timeKaniko(site) },
      { name: 'build', measure: () => timeNewCode(site) },
    ],
    ROUNDS,
  )
}

function toSection(times: ReadonlyMap<string, number>): Section {
  const [pod = 0, mount = 0, image = 0, kaniko = 0, built = 0] = times.values()
  const toRow = (name: string, ms: number, ratio: string) => [name, `${(ms / 1000).toFixed(2)} s`, ratio]
  return {
    title: 'Cold start on a cluster',
    text:
      'From the start of a program to its first result from a pod. The floor is a bare pod of the same base image, from ' +
      '`kubectl create` until Ready; for code that has to be built it is that and a bare Kaniko Job with the same files, ' +
      `from \`kubectl create\` until complete. ${ROUNDS} rounds by turns, the median counts. In each round the program ` +
      'with the image present is run with unchanged code, and it is checked that no build pod appears.',
    head: ['', 'time', 'ratio'],
    rows: [
      toRow('bare pod until Ready', pod, '1.00'),
      toRow('first result, `mount`', mount, `${(mount / pod).toFixed(2)} × the pod`),
      toRow('first result, `image` that is there', image, `${(image / pod).toFixed(2)} × the pod`),
      toRow('bare Kaniko Job until complete', kaniko, '1.00'),
      toRow(
        'first result, `image` that is built',
        built,
        `the pod and ${((built - pod) / kaniko).toFixed(2)} × the Kaniko Job`,
      ),
    ],
  }
}

function toEnvironment({ cluster, namespace }: Site, delivery: string): NodeJS.ProcessEnv {
  return {
    TURBOLIFT_TARGET: 'kubernetes',
    TURBOLIFT_NAMESPACE: namespace,
    TURBOLIFT_DELIVERY: delivery,
    TURBOLIFT_BASE_IMAGE: cluster.baseImage,
  }
}

async function timePod({ cluster, namespace }: Site): Promise<number> {
  const name = `pod-${newMark()}`
  const container = {
    name: 'main',
    image: cluster.baseImage,
    command: ['node', '-e', 'setInterval(() => {}, 2 ** 30)'],
    resources: { requests: { cpu: '500m', memory: '512Mi' }, limits: { memory: '512Mi' } },
  }
  const start = performance.now()
  await kubectl(['create', '-n', namespace, '-f', '-'], {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [container], terminationGracePeriodSeconds: 0 },
  })
  await kubectl(['wait', '-n', namespace, `pod/${name}`, '--for=condition=Ready', '--timeout=120s'])
  const ms = performance.now() - start
  await kubectl(['delete', '-n', namespace, `pod/${name}`])
  return ms
}

/** The first round, which is not counted, builds the image; the others must not, and it is seen that they do not. */
function createCheckedRun(namespace: string, run: () => Promise<number>): () => Promise<number> {
  let round = 0
  return async () => {
    let ms = Number.NaN
    const builds = await watchPods(namespace, 'turbolift.dev/role=build', async () => {
      ms = await run()
    })
    if (builds.size !== (round++ === 0 ? 1 : 0)) throw new Error(`Build pods in round ${round}: ${builds.size}.`)
    return ms
  }
}

async function timeNewCode(site: Site): Promise<number> {
  const mark = newMark()
  const main = await buildFirstResult(join(site.folder, mark), mark)
  return await timeFirstResult(main, mark, toEnvironment(site, 'image'))
}

/** The files that a worker is made of, built by Kaniko alone. */
async function timeKaniko(site: Site): Promise<number> {
  const { cluster, namespace } = site
  const name = `kaniko-${newMark()}`
  const context = await packContext(site)
  await kubectl(['create', '-n', namespace, '-f', '-'], {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    binaryData: { 'context.tar.gz': context.toString('base64') },
  })
  const start = performance.now()
  await kubectl(['create', '-n', namespace, '-f', '-'], toKanikoJob(name, cluster))
  await kubectl(['wait', '-n', namespace, `job/${name}`, '--for=condition=complete', '--timeout=300s'])
  const ms = performance.now() - start
  await kubectl(['delete', '-n', namespace, `job/${name}`, `configmap/${name}`])
  return ms
}

function toKanikoJob(name: string, { kanikoImage, registry, insecure }: Cluster): object {
  const container = {
    name: 'kaniko',
    image: kanikoImage,
    args: [
      '--context=tar:///context/context.tar.gz',
      `--destination=${registry}/bench:${name}`,
      ...insecure.map((host) => `--insecure-registry=${host}`),
    ],
    volumeMounts: [{ name: 'context', mountPath: '/context' }],
  }
  const volumes = [{ name: 'context', configMap: { name } }]
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: { backoffLimit: 0, template: { spec: { restartPolicy: 'Never', containers: [container], volumes } } },
  }
}

async function packContext({ folder, cluster }: Site): Promise<Buffer> {
  const mark = newMark()
  const root = join(folder, mark)
  const main = await buildFirstResult(root, mark)
  const cache = join(root, 'cache')
  await timeFirstResult(main, mark, { TURBOLIFT_TARGET: 'local', TURBOLIFT_CACHE_FOLDER: cache })
  await writeFile(join(cache, 'Dockerfile'), `FROM ${cluster.baseImage}\nCOPY . /turbolift\nUSER 65532:65532\n`)
  await promisify(execFile)('tar', ['czf', join(root, 'context.tar.gz'), '-C', cache, '.'])
  return await readFile(join(root, 'context.tar.gz'))
}

function newMark(): string {
  return randomBytes(6).toString('hex')
}
