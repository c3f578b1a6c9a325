import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createTestNamespace } from '../../../../test/cluster/namespace.ts'
import type { TestNamespace } from '../../../../test/cluster/namespace.ts'

let space: TestNamespace
beforeAll(async () => {
  space = await createTestNamespace('client')
})
afterAll(() => space[Symbol.asyncDispose]())

describe('objects', () => {
  test('create, read, patch, apply, list, remove', async () => {
    const { client } = space
    await client.create('ConfigMap', { metadata: { name: 'one', labels: { a: 'b' } }, data: { x: '1' } })
    await client.patch('ConfigMap', 'one', { data: { x: null, y: '2' } })
    expect((await client.read('ConfigMap', 'one'))?.data).toEqual({ y: '2' })
    await client.apply('ConfigMap', { metadata: { name: 'two', labels: { a: 'b' } }, data: { z: '3' } })
    const names = (await client.list('ConfigMap', { labelSelector: 'a=b' })).map(({ metadata }) => metadata?.name)
    expect(new Set(names)).toEqual(new Set(['one', 'two']))
    await client.remove('ConfigMap', 'one')
    await client.remove('ConfigMap', 'one')
    expect(await client.read('ConfigMap', 'one')).toBeUndefined()
  })
})
