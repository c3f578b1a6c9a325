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

  test('says what is in each worker', () => {
    expect(report().sources).toEqual([
      {
        path: 'src/main.ts',
        functions: [
          { id: 'src/main.ts#work', pool: 'default' },
          { id: 'src/main.ts#big', pool: 'large' },
        ],
        bytes: 39,
        modules: 2,
        packages: ['@scope/dep', 'leaf'],
        builtins: ['node:fs'],
        externals: ['native-addon/sub'],
        unresolved: ['optional'],
        environment: ['TOKEN'],
      },
    ])
  })

  test('has each part once, with what imports it', () => {
    const { modules, packages, environment } = report()
    expect(modules).toEqual([
      { path: 'src/main.ts', bytes: 4, importedBy: ['src/util.ts'] },
      { path: 'src/util.ts', bytes: 17, importedBy: ['src/main.ts'] },
      { path: 'src/other.ts', bytes: 5, importedBy: [] },
    ])
    expect(packages).toEqual([
      { name: '@scope/dep', version: '1.2.3', bytes: 14, modules: 2, importedBy: ['src/util.ts'] },
      { name: 'leaf', version: undefined, bytes: 4, modules: 1, importedBy: ['@scope/dep'] },
    ])
    expect(environment).toEqual([{ name: 'TOKEN', readBy: ['src/util.ts'] }])
  })

  test('reads well', () => {
    const text = toMarkdown(report())
    expect(text).toContain(
      '## `src/main.ts`\n\n- `src/main.ts#work` in pool default\n- `src/main.ts#big` in pool large',
    )
    expect(text).toContain('- size: 39 B in 2 modules and 2 packages\n- packages: @scope/dep, leaf\n')
    expect(text).toContain("- must be in the worker's image: native-addon/sub\n- imported, but not found: optional\n")
    expect(text).toContain('| `src/main.ts` | 4 B | holds lifted functions, `src/util.ts` |')
    expect(text).toContain('| `src/util.ts` | 17 B | `src/main.ts` |')
    expect(text).toContain('| @scope/dep 1.2.3, 2 modules | 14 B | `src/util.ts` |')
    expect(text).toContain('| leaf, 1 module | 4 B | `@scope/dep` |')
    expect(text).toContain('- reads from the environment: `TOKEN`\n')
    expect(text).toContain('- `TOKEN` (src/util.ts)')
  })
})

test('the report of a chain of modules grows with its length', () => {
  const measure = (length: number): number => {
    const ids = Array.from({ length }, (_, index) => `/program/m${index}.ts`)
    const graph = new Map(ids.map((id, index) => [id, { imports: ids.slice(index + 1, index + 2), code: 'x' }]))
    const functions = splitFunctions()
    const modules = ids.map((id) => ({ id, path: id.slice(9), functions, reaches: () => new Map() }))
    const report = createReport({ root: '/program', graph, externals: new Set(), modules })
    return JSON.stringify(report).length + toMarkdown(report).length
  }
  expect(measure(400) / measure(100)).toBeLessThan(4.2)
})
