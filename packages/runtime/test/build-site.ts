import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { createTestNamespace, type TestNamespace } from '../../../test/cluster/namespace.ts'
import type { DeliveredCode, DeliveryRequest } from '../src/deliver/delivery.ts'
import type { ImageInput, KanikoInput } from '../src/deliver/options.ts'

/** Registry of the test cluster: holds the base images, and takes what tests push. */
export const REGISTRY: string = process.env['TURBOLIFT_TEST_REGISTRY'] ?? '198.19.255.1:5000'
export const BASE_IMAGE: string = `${REGISTRY}/library/node:${process.versions.node.split('.')[0]}-slim`
export const KANIKO = 'gcr.io/kaniko-project/executor:v1.24.0'

/** Options with which an image is built and found on the test cluster. */
export const imageOptions: ImageInput & { readonly kaniko: KanikoInput } = {
  baseImage: BASE_IMAGE,
  registry: { push: REGISTRY, insecure: true },
  kaniko: { image: KANIKO, insecureRegistries: [REGISTRY] },
}

/** A namespace with an owner for a run's objects, and a folder of worker files of its own. */
export interface BuildSite extends AsyncDisposable {
  readonly space: TestNamespace
  readonly request: DeliveryRequest
  readonly log: readonly string[]
  /** Removes the owner, and so all objects of the run. */
  endRun(): Promise<void>
}

export interface SiteOptions {
  readonly labels?: Readonly<Record<string, string>>
  readonly files?: Readonly<Record<string, string | Buffer>>
}

export async function createBuildSite(subject: string, { labels, files }: SiteOptions = {}): Promise<BuildSite> {
  const space = await createTestNamespace(subject, labels)
  const folder = mkdtempSync(join(tmpdir(), 'turbolift-site-'))
  // Differs each time, so that no test finds the image of an earlier one.
  const own = { 'worker.js': `// ${randomBytes(8).toString('hex')}\nconsole.log('worker')\n`, ...files }
  for (const [name, content] of Object.entries(own)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  const owner = await space.client.create('ConfigMap', { metadata: { name: 'owner' } })
  const log: string[] = []
  return {
    space,
    log,
    request: {
      folder,
      program: `test-${subject}`,
      externals: [],
      scope: {
        client: space.client,
        namespace: space.name,
        namePrefix: 'tl-test',
        labels: { 'turbolift.dev/run': 'test', 'app.kubernetes.io/managed-by': 'turbolift' },
        owner: { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.metadata?.uid ?? '' },
        isGuarded: true,
      },
      onLog: (line) => log.push(line),
      signal: AbortSignal.timeout(150_000),
    },
    endRun: () => space.client.remove('ConfigMap', 'owner'),
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true, force: true })
      await space[Symbol.asyncDispose]()
    },
  }
}

/** Runs a delivered image as a pod until it ends. @returns what it printed */
export async function runImage(
  site: BuildSite,
  { image, imagePullSecrets }: Pick<DeliveredCode, 'image' | 'imagePullSecrets'>,
  command: readonly string[],
): Promise<string> {
  const { client } = site.space
  const name = `run-${randomBytes(4).toString('hex')}`
  const container = {
    name: 'main',
    image,
    command: [...command],
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  }
  const securityContext = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }
  await client.create('Pod', {
    metadata: { name },
    spec: {
      restartPolicy: 'Never',
      containers: [container],
      imagePullSecrets: [...imagePullSecrets],
      securityContext,
      automountServiceAccountToken: false,
    },
  })
  const signal = AbortSignal.timeout(60_000)
  for await (const event of client.watch('Pod', { fieldSelector: `metadata.name=${name}`, signal })) {
    if (event.type === 'SYNCED') continue
    if (['Succeeded', 'Failed'].includes(event.object.status?.phase ?? '')) return client.readLog(name)
  }
  throw new Error('the watch ended')
}
