import { createRecorder } from '../src/cli/recorder.ts'
import { IMAGE_RECORD } from '../src/deliver/image-record.ts'
import { ClusterRequestError } from '../src/deploy/client.ts'
import type { KubernetesClient } from '../src/deploy/client.ts'
import { parseKind } from '../src/deploy/client/kinds.ts'

/** A namespace that has nothing but the ConfigMap which remembers images, and merges patches as a cluster does. */
export interface RecordSpace {
  readonly client: KubernetesClient
  /** The ConfigMap's entries, when there is one. */
  data(): Record<string, string> | undefined
  set(key: string, entry: string): void
}

export function createRecordSpace({ isForbidden = false }: { readonly isForbidden?: boolean } = {}): RecordSpace {
  let data: Record<string, string> | undefined
  const { client } = createRecorder('space')
  return {
    data: () => data,
    set: (key, entry) => (data = { ...data, [key]: entry }),
    client: {
      ...client,
      async read(kind, name) {
        if (isForbidden) throw refuse(403, 'Forbidden')
        return data === undefined || name !== IMAGE_RECORD ? undefined : parseKind(kind, { data })
      },
      async create(kind, object) {
        if (object.metadata?.name === IMAGE_RECORD) data = {}
        return client.create(kind, object)
      },
      async patch(_kind, _name, body) {
        if (isForbidden) throw refuse(403, 'Forbidden')
        if (data === undefined) throw refuse(404, 'NotFound')
        const changes: Record<string, string | null> = 'data' in body ? { ...Object(body.data) } : {}
        const merged = Object.entries({ ...data, ...changes })
        data = Object.fromEntries(merged.filter((entry): entry is [string, string] => entry[1] !== null))
      },
    },
  }
}

function refuse(code: number, reason: string): ClusterRequestError {
  const status = { code, reason, message: reason, causes: [], retryAfterSeconds: undefined }
  return new ClusterRequestError('X', { request: '', status, attempts: 1 }, { what: '', why: reason, fix: '' })
}
