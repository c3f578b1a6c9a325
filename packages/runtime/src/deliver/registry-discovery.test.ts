import { expect, test } from 'vitest'

import { parseHosting } from './registry-discovery.ts'

test('the ConfigMap that kind describes: only this machine and the nodes know the registry', () => {
  const text = 'host: "localhost:5001"\nhelp: "https://kind.sigs.k8s.io/docs/user/local-registry/"\n'
  expect(parseHosting(text)).toEqual({ host: 'localhost:5001', pull: 'localhost:5001', push: undefined })
})

test('the ConfigMap of k3d: each side has its name', () => {
  const text = 'host: localhost:5111\nhostFromClusterNetwork: k3d-reg:5000\nhostFromContainerRuntime: k3d-reg:5000\n'
  expect(parseHosting(text)).toEqual({ host: 'localhost:5111', pull: 'k3d-reg:5000', push: 'k3d-reg:5000' })
})

test('JSON is YAML too', () => {
  expect(parseHosting('{\n"host": "a:1",\n"hostFromClusterNetwork": "b:2"\n}')).toMatchObject({
    host: 'a:1',
    push: 'b:2',
  })
})

test.each([undefined, '', 'help: none', 'hostFromClusterNetwork: x:1'])('%s announces nothing', (text) => {
  expect(parseHosting(text)).toBeUndefined()
})
