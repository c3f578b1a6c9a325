import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { parseSettings } from './settings.ts'

const required = { TURBOLIFT_LISTEN: '/tmp/a.sock', TURBOLIFT_TOKEN: 't', TURBOLIFT_BUILD: 'b' }

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
      hasLifeline: false,
      maxBodyBytes: 256 * 1024 * 1024,
    })
  })

  it('take the token from a file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'turbolift-token-'))
    const file = join(folder, 'token')
    writeFileSync(file, 'secret\n')
    expect(parseSettings({ ...required, TURBOLIFT_TOKEN_FILE: file }).token).toBe('secret')
    writeFileSync(file, '\n')
    expect(() => parseSettings({ ...required, TURBOLIFT_TOKEN_FILE: file })).toThrow(/is empty/)
    rmSync(folder, { recursive: true })
  })

  it.each([
    [{ TURBOLIFT_LISTEN: '' }, 'TURBOLIFT_LISTEN is not set'],
    [{ TURBOLIFT_TOKEN: undefined }, 'TURBOLIFT_TOKEN is not set'],
    [{ TURBOLIFT_CONCURRENCY: '0' }, 'TURBOLIFT_CONCURRENCY must be a whole number from 1'],
    [{ TURBOLIFT_MAX_BODY_BYTES: '1e99' }, 'TURBOLIFT_MAX_BODY_BYTES must be'],
    [{ TURBOLIFT_TLS_CERT: 'a' }, 'must be set together'],
  ])('refuse %o', (environment, message) => {
    expect(() => parseSettings({ ...required, ...environment })).toThrow(message)
  })
})
