import { expect, test } from 'vitest'

import { createRecordSpace } from '../../test/record-space.ts'
import type { RecordSpace } from '../../test/record-space.ts'
import { forgetImages, recallImage, rememberImage } from './image-record.ts'
import type { RecordPlace } from './image-record.ts'

const [first, second] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`]
const now = new Date('2026-01-01')

const toPlace = ({ client }: RecordSpace): RecordPlace => ({
  client,
  namespace: 'space',
  signal: AbortSignal.timeout(1000),
})

test('what was built is known by its name, until it is forgotten', async () => {
  const place = toPlace(createRecordSpace())
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
  const space = createRecordSpace()
  for (let n = 0; n < 500; n += 1) space.set(`key-${n}`, `${first} ${new Date(now.getTime() - n).toISOString()}`)
  await rememberImage(toPlace(space), 'host/a:key', second, now)
  expect(Object.keys(space.data() ?? {})).toHaveLength(500)
  expect(space.data()).not.toHaveProperty('key-499')
  expect(await recallImage(toPlace(space), 'host/a:key')).toBe(second)
})

test('what is no digest is not believed', async () => {
  const space = createRecordSpace()
  await rememberImage(toPlace(space), 'host/a:key', first, now)
  const [key = ''] = Object.keys(space.data() ?? {})
  space.set(key, 'latest')
  expect(await recallImage(toPlace(space), 'host/a:key')).toBeUndefined()
})

test('where it may not be read, nothing is known', async () => {
  expect(await recallImage(toPlace(createRecordSpace({ isForbidden: true })), 'host/a:key')).toBeUndefined()
})
