import { createHash } from 'node:crypto'

import { isRefusal, type KubernetesClient } from '../deploy/client.ts'

/**
 * ConfigMap of the namespace that says which digest was built for which content. A registry answers what it holds, which
 * is not what was built when somebody else may write to it; so its tags are believed nothing.
 */
export const IMAGE_RECORD = 'turbolift-images'

/** A ConfigMap holds 1 MiB; an entry takes 150 bytes. */
const MOST_IMAGES = 500

export interface RecordPlace {
  readonly client: KubernetesClient
  readonly namespace: string
  readonly signal: AbortSignal
}

/** Digest that was built for this name (`host/repository:key`), as far as this namespace knows. */
export async function recallImage(place: RecordPlace, name: string): Promise<string | undefined> {
  try {
    return toDigest((await readRecord(place))[toKey(name)])
  } catch (error) {
    // A Role of an earlier version: each run builds.
    if (isRefusal(error, 'Forbidden')) return undefined
    throw error
  }
}

/** Writes down what was built. @throws ClusterRequestError */
export async function rememberImage(place: RecordPlace, name: string, digest: string, now: Date): Promise<void> {
  const known = Object.entries(await readRecord(place))
  const oldest = known
    .toSorted(([, a], [, b]) => (toTime(a) < toTime(b) ? -1 : 1))
    .slice(0, Math.max(0, known.length + 1 - MOST_IMAGES))
  const dropped = oldest.map(([key]) => [key, null])
  await writeRecord(place, { ...Object.fromEntries(dropped), [toKey(name)]: `${digest} ${now.toISOString()}` })
}

/** Forgets images that are gone. */
export async function forgetImages(place: RecordPlace, digests: ReadonlySet<string>): Promise<void> {
  const gone = Object.entries(await readRecord(place)).filter(([, entry]) => digests.has(toDigest(entry) ?? ''))
  if (gone.length > 0) await writeRecord(place, Object.fromEntries(gone.map(([key]) => [key, null])))
}

async function readRecord({ client, namespace, signal }: RecordPlace): Promise<Readonly<Record<string, string>>> {
  return (await client.read('ConfigMap', IMAGE_RECORD, { namespace, signal }))?.data ?? {}
}

async function writeRecord(
  { client, namespace, signal }: RecordPlace,
  data: Readonly<Record<string, string | null>>,
): Promise<void> {
  const options = { namespace, signal }
  try {
    await client.patch('ConfigMap', IMAGE_RECORD, { data }, options)
  } catch (error) {
    if (!isRefusal(error, 'NotFound')) throw error
    await createRecord({ client, namespace, signal })
    await client.patch('ConfigMap', IMAGE_RECORD, { data }, options)
  }
}

/** Not marked as made by a run, as it stays when runs end, like the images that it tells of. */
async function createRecord({ client, namespace, signal }: RecordPlace): Promise<void> {
  try {
    const metadata = { name: IMAGE_RECORD, labels: { 'app.kubernetes.io/part-of': 'turbolift' } }
    await client.create('ConfigMap', { metadata }, { namespace, signal })
  } catch (error) {
    // Another run was faster.
    if (!isRefusal(error, 'AlreadyExists')) throw error
  }
}

// Keys of a ConfigMap take few signs.
function toKey(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 40)
}

function toDigest(entry: string | undefined): string | undefined {
  return /^sha256:[0-9a-f]{64}(?= |$)/.exec(entry ?? '')?.[0]
}

function toTime(entry: string): string {
  return entry.split(' ')[1] ?? ''
}
