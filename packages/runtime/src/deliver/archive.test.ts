import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { packArchive } from './archive.ts'

const long = `${'folder/'.repeat(20)}${'n'.repeat(90)}.js`

test('the system tar unpacks what was packed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'turbolift-archive-'))
  const archive = packArchive([
    { name: 'worker.js', data: Buffer.from('export {}\n') },
    { name: 'empty', data: new Uint8Array() },
    { name: long, data: Buffer.alloc(1025, 1) },
  ])
  execFileSync('tar', ['-x', '-C', folder], { input: archive })
  expect(readFileSync(join(folder, 'worker.js'), 'utf8')).toBe('export {}\n')
  expect(readFileSync(join(folder, 'empty'))).toHaveLength(0)
  expect(readFileSync(join(folder, long))).toHaveLength(1025)
  rmSync(folder, { recursive: true })
})

test('the same files give the same bytes in any order', () => {
  const [a, b] = [
    { name: 'a', data: Buffer.from('1') },
    { name: 'b', data: Buffer.from('2') },
  ]
  expect(packArchive([a, b])).toEqual(packArchive([b, a]))
})

test('a name that does not fit the format is refused', () => {
  expect(() => packArchive([{ name: 'n'.repeat(101), data: new Uint8Array() }])).toThrow(
    expect.objectContaining({ code: 'ARCHIVE_NAME_TOO_LONG' }),
  )
})
