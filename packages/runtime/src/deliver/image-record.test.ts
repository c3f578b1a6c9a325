import { expect, test } from 'vitest'

import { createRecorder } from '../cli/recorder.ts'
import { ClusterRequestError } from '../deploy/client.ts'
import { parseKind } from '../deploy/client/kinds.ts'
import { forgetImages, IMAGE_RECORD, recallImage, rememberImage } from './image-record.ts'
import type { RecordPlace } from './image-record.ts'

const [first, second] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`]
const now = new Date('2026-01-01')

interface Namespace {
  readonly place: RecordPlace
  /** The ConfigMap's entries, when there is one. */
  data(): Record<string, string> | undefined
  set(key: string, entry: string): void
}

/** A namespace that takes the one ConfigMap, and merges patches as a cluster does. */
function createNamespace(isForbidden = false): Namespace {
  let data: Record<string, string> | undefined
  const refuse = (code: number, reason: string) => {
    const status = { code, reason, message: reason, causes: [], retryAfterSeconds: undefined }
    return new ClusterRequestError('X', { request: '', status, attempts: 1 }, { what: '', why: '', fix: '' })
  }
  const { client } = createRecorder('space')
  const place: RecordPlace = {
    namespace: 'space',
    signal: AbortSignal.timeout(1000),
    client: {
      ...client,
      async read(kind) {
        if (isForbidden) throw refuse(403, 'Forbidden')
        return data === undefined ? undefined : parseKind(kind, { data })
      },
      async create(kind, object) {
        if (object.metadata?.name === IMAGE_RECORD) data = {}
        return object
      },
      async patch(_kind, _name, body) {
        if (data === undefined) throw refuse(404, 'NotFound')
        const changes: Record<string, string | null> = 'data' in body ? { ...Object(body.data) } : {}
        const merged = Object.entries({ ...data, ...changes })
        data = Object.fromEntries(merged.filter((entry): entry is [string, string] => entry[1] !== null))
      },
    },
  }
  return { place, data: () => data, set: (key, entry) => (data = { ...data, [key]: entry }) }
}

test('what was built is known by its name, until it is forgotten', async () => {
  const { place } = createNamespace()
  expect(await recallImage(place, 'host/a:key')).toBeUndefined()
  await rememberImage(place, 'host/a:key', first, now)
  await rememberImage(place, 'host/b:key', second, now)
  expect(await recallImage(place, 'host/a:key')).toBe(first)
  expect(await recallImage(place, 'host/b:key')).toBe(second)
  await forgetImages(place, new Set([first]))
  expect(await recallImage(place, 'host/a:key')).toBeUndefined()
  expect(await recallImage(place, 'host/b:key')).toBe(second)
})

test('the oldest give way, so that the object stays small', async () => {
  const space = createNamespace()
  for (let n = 0; n < 500; n += 1) space.set(`key-${n}`, `${first} ${new Date(now.getTime() - n).toISOString()}`)
  await rememberImage(space.place, 'host/a:key', second, now)
  expect(Object.keys(space.data() ?? {})).toHaveLength(500)
  expect(space.data()).not.toHaveProperty('key-499')
  expect(await recallImage(space.place, 'host/a:key')).toBe(second)
})

test('what is no digest is not believed', async () => {
  const space = createNamespace()
  await rememberImage(space.place, 'host/a:key', first, now)
  const [key = ''] = Object.keys(space.data() ?? {})
  space.set(key, 'latest')
  expect(await recallImage(space.place, 'host/a:key')).toBeUndefined()
})

test('where it may not be read, nothing is known', async () => {
  expect(await recallImage(createNamespace(true).place, 'host/a:key')).toBeUndefined()
})
