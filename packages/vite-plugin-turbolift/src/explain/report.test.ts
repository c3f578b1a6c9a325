import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { LiftedFunction } from '../lifted-function.ts'
import { splitModule } from '../split.ts'
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

function splitFunctions(): readonly LiftedFunction[] {
  const code = "async function work() { 'use lift' }\nasync function big() { 'use lift: large' }"
  return splitModule(code, { path: 'src/main.ts', isLiftModule: false, pools: ['large'] })?.functions ?? []
}

describe('a report', () => {
  let root: string
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'turbolift-report-'))
    const folder = join(root, 'node_modules/.pnpm/@scope+dep@1.2.3/node_modules/@scope/dep')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{ "version": "1.2.3" }')
    mkdirSync(join(root, 'node_modules/leaf'))
    writeFileSync(join(root, 'node_modules/leaf/package.json'), '{}')
  })
  afterAll(() => rmSync(root, { recursive: true }))

  const report = () => {
    const at = (path: string) => join(root, path)
    const dep = at('node_modules/.pnpm/@scope+dep@1.2.3/node_modules/@scope/dep/index.js')
    const inner = dep.replace('index', 'inner')
    const leaf = at('node_modules/leaf/index.js')
    const graph = new Map([
      [at('src/main.ts'), { imports: [at('src/util.ts'), at('src/unused.ts'), 'node:fs'], code: 'work' }],
      [at('src/util.ts'), { imports: [dep, at('src/main.ts')], code: 'process.env.TOKEN' }],
      [at('src/unused.ts'), { imports: [], code: '' }],
      [dep, { imports: [inner, 'native-addon/sub', 'optional'], code: 'dependency' }],
      [inner, { imports: [leaf], code: 'more' }],
      [leaf, { imports: [], code: 'leaf' }],
      [at('src/other.ts'), { imports: [], code: 'other' }],
    ])
    return createReport({
      root,
      graph,
      externals: new Set(['native-addon']),
      modules: [{ id: at('src/main.ts'), path: 'src/main.ts', functions: splitFunctions(), reaches: () => new Map() }],
    })
  }

  test('says what is in the worker, and by which imports', () => {
    expect(report().sources).toEqual([
      {
        path: 'src/main.ts',
        functions: [
          { id: 'src/main.ts#work', pool: 'default' },
          { id: 'src/main.ts#big', pool: 'large' },
        ],
        bytes: 39,
        modules: [
          { path: 'src/main.ts', bytes: 4, because: [] },
          { path: 'src/util.ts', bytes: 17, because: ['src/main.ts'] },
        ],
        packages: [
          { name: '@scope/dep', version: '1.2.3', bytes: 14, modules: 2, because: ['src/main.ts', 'src/util.ts'] },
          {
            name: 'leaf',
            version: undefined,
            bytes: 4,
            modules: 1,
            because: ['src/main.ts', 'src/util.ts', '@scope/dep'],
          },
        ],
        builtins: ['node:fs'],
        externals: ['native-addon/sub'],
        unresolved: ['optional'],
        environment: [{ name: 'TOKEN', readBy: ['src/util.ts'] }],
      },
    ])
  })

  test('reads well', () => {
    const text = toMarkdown(report())
    expect(text).toContain(
      '## `src/main.ts`\n\n- `src/main.ts#work` in pool default\n- `src/main.ts#big` in pool large',
    )
    expect(text).toContain('- size: 39 B in 2 modules and 2 packages\n- built into Node: node:fs')
    expect(text).toContain("- must be in the worker's image: native-addon/sub\n- imported, but not found: optional\n")
    expect(text).toContain('| `src/util.ts` | 17 B | `src/main.ts` |')
    expect(text).toContain('| @scope/dep 1.2.3, 2 modules | 14 B | `src/main.ts` → `src/util.ts` |')
    expect(text).toContain('| leaf, 1 module | 4 B | `src/main.ts` → `src/util.ts` → `@scope/dep` |')
    expect(text).toContain('- reads from the environment: `TOKEN` (src/util.ts)')
  })
})
