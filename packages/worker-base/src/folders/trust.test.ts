import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { removeDeadDrafts, toDraftName } from './drafts.ts'
import { openFolder } from './private.ts'
import { isGone, processMark } from './process-mark.ts'

let base: string
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'b-'))
})
afterEach(() => rmSync(base, { recursive: true }))

function make(name: string, mode: number, owner?: number): string {
  const path = join(base, name)
  mkdirSync(path)
  chmodSync(path, mode)
  if (owner !== undefined) chownSync(path, owner, owner)
  return path
}

describe.skipIf(process.getuid === undefined)('a folder', () => {
  test('that is missing is made with those above it, for this user alone', () => {
    expect(openFolder(join(base, 'a/b'), 'read or write')).toBeUndefined()
    expect(openFolder(join(base, 'a'), 'read or write')).toBeUndefined()
  })

  test('that others can write to is refused, and so is one below it', () => {
    const open = make('open', 0o777)
    expect(openFolder(open, 'write')).toMatch(/write to ".*open" \(mode 0777\)/)
    expect(openFolder(join(open, 'a'), 'write')).toMatch(/write to ".*open"/)
    expect(readdirSync(open)).toEqual([])
  })

  test('below one that is sticky, as the system’s temporary one, is taken', () => {
    expect(openFolder(join(make('sticky', 0o1777), 'a'), 'write')).toBeUndefined()
  })

  test('that others can read holds code and results, and nothing private', () => {
    const readable = make('readable', 0o755)
    expect(openFolder(readable, 'write')).toBeUndefined()
    expect(openFolder(readable, 'read or write')).toMatch(/look into/)
  })

  test('behind a link of one’s own is taken, and looked at', () => {
    make('open', 0o777)
    make('target', 0o700)
    for (const name of ['open', 'target']) symlinkSync(name, join(base, `to-${name}`))
    expect(openFolder(join(base, 'to-target'), 'write')).toBeUndefined()
    expect(openFolder(join(base, 'to-open'), 'write')).toMatch(/open/)
  })

  test('behind links without an end is refused', () => {
    symlinkSync('round', join(base, 'round'))
    expect(openFolder(join(base, 'round'), 'write')).toMatch(/link/)
  })
})

describe.skipIf(process.getuid?.() !== 0)('what another user made (needs root)', () => {
  test('a folder, one above it, or a link is refused, and nothing is made there', () => {
    const theirs = make('theirs', 0o755, 2002)
    symlinkSync(make('target', 0o700), join(base, 'link'))
    lchownSync(join(base, 'link'), 2002, 2002)
    expect(openFolder(theirs, 'write')).toMatch(/user 2002 owns ".*theirs"/)
    expect(openFolder(join(theirs, 'a'), 'read or write')).toMatch(/user 2002 owns/)
    expect(openFolder(join(base, 'link/a'), 'write')).toMatch(/user 2002 owns ".*link"/)
    expect([readdirSync(theirs), readdirSync(join(base, 'target'))]).toEqual([[], []])
  })
})

test('drafts of processes that are gone are removed, and nothing else', () => {
  const [space, , start] = processMark().split('-')
  const own = toDraftName()
  const dead = own.replace(processMark(), `${space}-${2 ** 22 + 1}-${start}`)
  const reborn = own.replace(processMark(), `${space}-${process.pid}-1`)
  const [far, old] = ['0', '1'].map((digit) => own.replace(processMark(), `${digit.repeat(12)}-1-1`))
  const names = [own, dead, far ?? '', old ?? '', 'letter', '.letter.draft']
  for (const name of names) writeFileSync(join(base, name), '')
  mkdirSync(join(base, reborn))
  utimesSync(join(base, old ?? ''), 0, 0)
  removeDeadDrafts(base)
  const kept = [own, far ?? '', 'letter', '.letter.draft', ...(process.platform === 'linux' ? [] : [reborn])]
  expect(readdirSync(base).toSorted()).toEqual(kept.toSorted())
  expect(existsSync(join(base, own))).toBe(true)
})

test('a process is known by its mark', () => {
  expect(isGone(processMark())).toBe(false)
})
