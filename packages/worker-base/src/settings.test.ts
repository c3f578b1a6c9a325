import { totalmem } from 'node:os'

import { describe, expect, it } from 'vitest'

import { parseSettings } from './settings.ts'

const required = { TURBOLIFT_LISTEN: '/tmp/a.sock', TURBOLIFT_BUILD: 'b' }

describe('settings', () => {
  it.each([
    ['/run/worker.sock', { kind: 'socket', path: '/run/worker.sock' }],
    ['8080', { kind: 'port', port: 8080, host: undefined }],
    ['127.0.0.1:80', { kind: 'port', port: 80, host: '127.0.0.1' }],
    ['[::1]:80', { kind: 'port', port: 80, host: '::1' }],
  ])('listen on %s', (text, listen) => {
    expect(parseSettings({ ...required, TURBOLIFT_LISTEN: text }).listen).toEqual(listen)
  })

  it('have defaults', () => {
    expect(parseSettings(required)).toMatchObject({
      tls: undefined,
      lifeline: undefined,
      maxFrameBytes: 256 * 1024 * 1024,
      timeoutMs: 0,
    })
  })

  it('leave room for what is made of a body', () => {
    const limit = Math.min(256 * 1024 * 1024, (process.constrainedMemory() || totalmem()) / 8)
    expect(parseSettings(required).maxBodyBytes).toBeLessThanOrEqual(limit)
    expect(parseSettings({ ...required, TURBOLIFT_MAX_BODY_BYTES: '1000' })).toMatchObject({
      maxBodyBytes: 1000,
      maxFrameBytes: 1000,
    })
  })

  it.each([
    [{ TURBOLIFT_LISTEN: '' }, 'TURBOLIFT_LISTEN is not set'],
    [{ TURBOLIFT_CONCURRENCY: '0' }, 'TURBOLIFT_CONCURRENCY must be a whole number from 1'],
    [{ TURBOLIFT_MAX_BODY_BYTES: '1e99' }, 'TURBOLIFT_MAX_BODY_BYTES must be'],
    [{ TURBOLIFT_TLS_CERT: 'a' }, 'must be set together'],
  ])('refuse %o', (environment, message) => {
    expect(() => parseSettings({ ...required, ...environment })).toThrow(message)
  })
})
