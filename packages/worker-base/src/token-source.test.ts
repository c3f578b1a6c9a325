import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'

import { describe, expect, it } from 'vitest'

import { readToken } from './token-source.ts'

describe('token', () => {
  it('comes from a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'turbolift-token-'))
    const file = join(folder, 'token')
    writeFileSync(file, 'secret\n')
    const environment = { TURBOLIFT_TOKEN: 'other', TURBOLIFT_TOKEN_FILE: file }
    expect(await readToken(environment, new PassThrough())).toBe('secret')
    writeFileSync(file, '\n')
    await expect(readToken(environment, new PassThrough())).rejects.toThrow(/is empty/)
    rmSync(folder, { recursive: true })
  })

  it('comes as the first line of standard input, in any pieces', async () => {
    const input = new PassThrough()
    const token = readToken({ TURBOLIFT_LIFELINE: 'stdin' }, input)
    for (const piece of ['sec', 'ret', '\nmore']) input.write(piece)
    expect(await token).toBe('secret')
  })

  it('is missed where there is none', async () => {
    await expect(readToken({}, new PassThrough())).rejects.toThrow('TURBOLIFT_TOKEN is not set')
    const ended = new PassThrough()
    ended.end('half')
    await expect(readToken({ TURBOLIFT_LIFELINE: 'stdin' }, ended)).rejects.toThrow('ended before its first line')
  })
})
