import { wallClock } from '@turbolift/worker-base/clock'
import type { KubernetesObject } from '@kubernetes/client-node'

import type { Kind, Kinds, KubernetesClient, WatchEvent } from '../deploy/client.ts'
import { kindPlaces, parseKind, toApiVersion } from '../deploy/client/kinds.ts'

export interface Recorder {
  readonly client: KubernetesClient
  /** What the client was told to create, in that order. */
  readonly objects: readonly KubernetesObject[]
}

/** A client of no cluster: it writes down what it is told to create, and says that it is there. */
export function createRecorder(namespace: string): Recorder {
  const objects: KubernetesObject[] = []
  const add = async <K extends Kind>(kind: K, object: Kinds[K]): Promise<Kinds[K]> => {
    const uid = `(uid of ${object.metadata?.name ?? kind})`
    const apiVersion = toApiVersion(kindPlaces[kind])
    const full = { ...object, apiVersion, kind, metadata: { namespace, ...object.metadata } }
    objects.push(full)
    return parseKind(kind, { ...full, metadata: { ...full.metadata, uid } })
  }
  const nothing = async () => undefined
  const client: KubernetesClient = {
    server: new URL('https://none.invalid'),
    context: 'none',
    namespace,
    create: add,
    apply: add,
    read: nothing,
    list: async () => [],
    watch: watchNothing,
    patch: nothing,
    remove: nothing,
    readLog: async () => '',
    followLog: async function* () {},
    writeStdin: nothing,
    forwardPort: () => Promise.reject(new Error('There is no cluster.')),
    request: () => Promise.reject(new Error('There is no cluster.')),
    [Symbol.dispose]: () => undefined,
  }
  return { client, objects }
}

/** Jobs have started, everything else never comes. */
async function* watchNothing<K extends Kind>(
  kind: K,
  { signal }: { readonly signal: AbortSignal },
): AsyncGenerator<WatchEvent<K>> {
  if (kind === 'Job')
    yield {
      type: 'ADDED',
      object: parseKind(kind, {
        metadata: { name: 'anchor' },
        status: { startTime: new Date(wallClock()).toISOString() },
      }),
    }
  yield { type: 'SYNCED' }
  await new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
