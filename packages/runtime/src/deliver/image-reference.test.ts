import { expect, test } from 'vitest'

import { isLoopback, parseImageReference } from './image-reference.ts'

const digest = `sha256:${'0'.repeat(64)}`

test.each([
  ['node:20-slim', 'docker.io', 'library/node', '20-slim'],
  ['node', 'docker.io', 'library/node', 'latest'],
  ['bitnami/node:20', 'docker.io', 'bitnami/node', '20'],
  ['localhost:5000/x/y', 'localhost:5000', 'x/y', 'latest'],
  ['10.0.0.1:5000/library/node:20-slim', '10.0.0.1:5000', 'library/node', '20-slim'],
  [`gcr.io/a/b:v1@${digest}`, 'gcr.io', 'a/b', digest],
  [`gcr.io/a/b@${digest}`, 'gcr.io', 'a/b', digest],
  [`node@${digest}`, 'docker.io', 'library/node', digest],
  [`node:20-slim@${digest}`, 'docker.io', 'library/node', digest],
  [`localhost:5000/a/b:v1@${digest}`, 'localhost:5000', 'a/b', digest],
  [`10.0.0.1:5000/b@${digest}`, '10.0.0.1:5000', 'b', digest],
  [`[::1]:5000/a/b:v1@${digest}`, '[::1]:5000', 'a/b', digest],
])('%s', (text, registry, repository, reference) => {
  expect(parseImageReference(text)).toEqual({ registry, repository, reference })
})

const hostile = ['node:20\nRUN id', 'x.y\nRUN id/a', '--platform=x.y/a', 'x.y z/a', '-x.y/a', 'node:20\n', '$A.b/c']

test.each(['', 'Node:20', 'a b', 'node:', 'node@sha256:12', '/node', 'gcr.io/', ...hostile])(
  '"%s" is refused',
  (text) => {
    expect(() => parseImageReference(text)).toThrow(expect.objectContaining({ code: 'IMAGE_REFERENCE_INVALID' }))
  },
)

test.each(['localhost', 'localhost:5000', '127.0.0.1:1', '[::1]:5000'])('%s is loopback', (host) => {
  expect(isLoopback(host)).toBe(true)
})

test.each(['localhost.example.com', '10.0.0.1:5000', 'gcr.io'])('%s is not loopback', (host) => {
  expect(isLoopback(host)).toBe(false)
})
