import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { readVariables } from './environment.ts'
import { toMarkdown } from './markdown.ts'
import { createReport } from './report.ts'

describe('variables of the environment', () => {
  test.each([
    ['process.env.HOME', ['HOME']],
    ['process.env["A_B"] ?? process.env.A_C', ['A_B', 'A_C']],
    ['process?.env?.HOME', ['HOME']],
    ['const { A, B: b = 1, "C": c } = process.env', ['A', 'B', 'C']],
    ['const { A, ...rest } = process.env', ['*']],
    ['start({ env: process.env })', ['*']],
    ['process.env[name]', ['*']],
    ['// process.env.OLD\nconst text = 1 /* process.env.OLDER */', []],
    ['env.HOME', []],
  ])('%s', (code, names) => expect(readVariables(code)).toEqual(names))
})

describe('a report', () => {
  let root: string
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'turbolift-report-'))
    const folder = join(root, 'node_modules/.pnpm/@scope+dep@1.2.3/node_modules/@scope/dep')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{ "version": "1.2.3" }')
  })
  afterAll(() => rmSync(root, { recursive: true }))

  const report = () => {
    const at = (path: string) => join(root, path)
    const dep = at('node_modules/.pnpm/@scope+dep@1.2.3/node_modules/@scope/dep/index.js')
    const graph = new Map([
      [at('src/main.ts'), { imports: [at('src/util.ts'), at('src/unused.ts'), 'node:fs'], code: 'work' }],
      [at('src/util.ts'), { imports: [dep, at('src/main.ts')], code: 'process.env.TOKEN' }],
      [at('src/unused.ts'), { imports: [], code: '' }],
      [dep, { imports: ['native-addon'], code: 'dependency' }],
      [at('src/other.ts'), { imports: [], code: 'other' }],
    ])
    return createReport({
      root,
      graph,
      functions: [{ id: 'src/main.ts#work', pool: 'default', module: at('src/main.ts') }],
    })
  }

  test('says what is in the worker, and by which imports', () => {
    expect(report().functions).toEqual([
      {
        id: 'src/main.ts#work',
        pool: 'default',
        bytes: 31,
        modules: [
          { path: 'src/main.ts', bytes: 4, because: [] },
          { path: 'src/util.ts', bytes: 17, because: ['src/main.ts'] },
          {
            path: 'node_modules/.pnpm/@scope+dep@1.2.3/node_modules/@scope/dep/index.js',
            bytes: 10,
            because: ['src/main.ts', 'src/util.ts'],
          },
        ],
        packages: [{ name: '@scope/dep', version: '1.2.3', bytes: 10 }],
        builtins: ['node:fs'],
        externals: ['native-addon'],
        environment: [{ name: 'TOKEN', readBy: ['src/util.ts'] }],
      },
    ])
  })

  test('reads well', () => {
    const text = toMarkdown(report())
    expect(text).toContain('## `src/main.ts#work`')
    expect(text).toContain('- size: 31 B in 3 modules\n- packages: @scope/dep 1.2.3 (10 B)\n- built into Node: node:fs')
    expect(text).toContain('| `src/util.ts` | 17 B | `src/main.ts` |')
    expect(text).toContain('- reads from the environment: `TOKEN` (src/util.ts)')
  })
})
