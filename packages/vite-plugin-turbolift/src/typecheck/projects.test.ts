import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { parseAst } from 'rolldown/parseAst'
import { afterAll, describe, expect, test } from 'vitest'

import { checkTypes } from './check.ts'
import type { TypecheckOptions } from './check.ts'
import type { SubjectReach } from './subject.ts'

const require = createRequire(import.meta.url)
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'turbolift-projects-')))
afterAll(() => rmSync(folder, { recursive: true }))
let count = 0

const strict = { target: 'es2023', module: 'esnext', moduleResolution: 'bundler', strict: true, types: ['node'] }
const compilerOptions = { ...strict, skipLibCheck: true }
const app = { compilerOptions, include: ['src'] }
const tools = { compilerOptions, include: ['vite.config.ts'] }
const f = (parameters: string, before = '') => `${before}\nexport async function f(${parameters}) {}`

type Files = Readonly<Record<string, unknown>>

/** Types of the functions of a project: texts as they are, everything else as JSON. */
async function check(
  files: Files,
  rest: {
    version?: string
    at?: string
    reach?: SubjectReach
    names?: readonly string[]
  } & Partial<TypecheckOptions> = {},
) {
  const { version = 'typescript', at = 'src/main.ts', names = ['f'], reach, ...options } = rest
  const root = join(folder, String(count++))
  for (const [path, content] of Object.entries(files)) write(join(root, path), content)
  link(join(root, 'node_modules/typescript'), `${version}/package.json`)
  link(join(root, 'node_modules/@types/node'), '@types/node/package.json')
  const subjects = names.map((name) => ({
    id: `${at}#${name}`,
    module: join(root, at),
    reach: reach ?? ({ kind: 'export', name } as const),
  }))
  const { problems, unchecked, warnings, notes } = await checkTypes(subjects, { root, ...options })
  const all = [
    ...problems.map(({ problem }) => problem),
    ...unchecked.map(({ reason }) => reason),
    ...warnings,
    ...notes,
  ]
  return all.map((text) => text.replaceAll(root, '…'))
}

function write(path: string, content: unknown): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
}

function link(path: string, name: string): void {
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(dirname(require.resolve(name)), path, 'junction')
}

const conn = 'export interface Conn { query(): void }'
const useConn = f('c: Conn', "import type { Conn } from '@lib/conn'")

describe('a module is checked by the configuration that lists it', () => {
  const paths = { '@lib/*': ['./lib/*'] }
  const withPaths = { compilerOptions: { ...compilerOptions, paths }, include: ['src'] }
  const sources = { 'src/main.ts': useConn, 'lib/conn.ts': conn }
  const found = ['parameter 0.query is a function']

  test.each<[string, Files]>([
    [
      'of references whichever comes first',
      {
        'tsconfig.json': { files: [], references: [{ path: './tsconfig.node.json' }, { path: './tsconfig.app.json' }] },
        'tsconfig.node.json': tools,
        'tsconfig.app.json': withPaths,
      },
    ],
    [
      'of references beside an empty "include"',
      {
        'tsconfig.json': { include: [], references: [{ path: './tsconfig.app.json' }] },
        'tsconfig.app.json': withPaths,
      },
    ],
    [
      'of references beside a list with a comment',
      {
        'tsconfig.json': '{ "files": [ /* none of its own */ ], "references": [{ "path": "./tsconfig.app.json" }] }',
        'tsconfig.app.json': withPaths,
      },
    ],
    [
      'where an extended one has ${configDir}',
      {
        'tsconfig.json': { extends: './shared/base.json', include: ['src'] },
        'shared/base.json': { compilerOptions: { ...compilerOptions, paths: { '@lib/*': ['${configDir}/lib/*'] } } },
      },
    ],
    [
      'where an extended one has paths of its own place',
      {
        'tsconfig.json': { extends: './shared/base.json', include: ['src'] },
        'shared/base.json': { compilerOptions: { ...compilerOptions, paths: { '@lib/*': ['../lib/*'] } } },
      },
    ],
    [
      'where one extends several',
      {
        'tsconfig.json': { extends: ['./a.json', './b.json'], include: ['src'] },
        'a.json': { compilerOptions },
        'b.json': { compilerOptions: { paths } },
      },
    ],
  ])('%s', async (_, files) => expect(await check({ ...sources, ...files })).toEqual(found))

  test('of a package of the workspace', async () => {
    const files = {
      'tsconfig.json': app,
      'src/main.ts': '',
      'packages/jobs/tsconfig.json': withPaths,
      'packages/jobs/src/main.ts': useConn,
      'packages/jobs/lib/conn.ts': conn,
    }
    expect(await check(files, { at: 'packages/jobs/src/main.ts' })).toEqual(found)
  })

  test('names that nothing imports: of a file that says "declare global", and of declarations outside of the root', async () => {
    const files = {
      'tsconfig.json': { compilerOptions, include: ['src', '../outside-*/*.d.ts'] },
      'src/main.ts': f('a: FromSource, b: FromOutside'),
      'src/globals.ts': 'export {}\ndeclare global { interface FromSource { close(): void } }',
      [`../outside-${count}/types.d.ts`]: 'interface FromOutside { open(): void }',
    }
    expect(await check(files)).toEqual(['parameter 0.close is a function', 'parameter 1.open is a function'])
  })
})

describe.each(['typescript-5.9', 'typescript-6', 'typescript'])('%s', (version) => {
  test('checks in spite of options that it has given up', async () => {
    const old = {
      baseUrl: '.',
      moduleResolution: 'node',
      module: 'commonjs',
      target: 'es5',
      lib: ['es5', 'dom'],
      ignoreDeprecations: '6.0',
    }
    const files = {
      'tsconfig.json': { compilerOptions: { ...compilerOptions, ...old } },
      'src/main.ts': f('x: Conn', "import type { Conn } from 'lib/conn'"),
      'lib/conn.ts': conn,
    }
    expect(await check(files, { version })).toEqual(['parameter 0.query is a function'])
  })

  test('checks in spite of types that are missing and declarations that cannot be read, and says so', async () => {
    const files = {
      'tsconfig.json': { compilerOptions: { ...compilerOptions, types: ['node', 'nowhere'] } },
      'src/main.ts': f('x: () => void'),
      'old/broken.d.ts': 'declare interface {',
    }
    expect(await check(files, { version })).toEqual([
      'parameter 0 is a function',
      'Types of lifted functions were checked without the types "nowhere", which were not found, …/old/broken.d.ts, which has a syntax error.',
    ])
  })

  test('looks at each overload, and tells of a type that is too deep', async () => {
    const overloads = [
      'export async function over(done: () => void): Promise<void>',
      'export async function over(n: number): Promise<number>',
      'export async function over(x: unknown): Promise<unknown> { return x }',
      'type Wide<L extends 0[]> = { [K in `${L["length"]}` | "a" | "b"]: Wide<[...L, 0]> | (K extends "a" ? string : Date) }',
      'type Grow<L extends unknown[]> = L["length"] extends 5000 ? L : Grow<[...L, 0]>',
      'export async function f(x: Grow<[]>, done: () => void) { return x as unknown as Wide<[]> }',
    ]
    const files = { 'tsconfig.json': app, 'src/main.ts': overloads.join('\n') }
    expect(await check(files, { version, names: ['over', 'f'] })).toEqual([
      'parameter 0 is a function',
      expect.stringMatching(/TS2589/),
    ])
  })
})

describe('what cannot be read or found is told', () => {
  test('a name that is any', async () => {
    const files = { 'tsconfig.json': app, 'src/main.ts': f('c: Conn', "import type { Conn } from './nowhere.ts'") }
    expect(await check(files)).toEqual([expect.stringMatching(/^….src.main\.ts\(1,\d+\): error TS2307: .*nowhere/)])
  })

  test('an any that was written is none', async () => {
    expect(await check({ 'tsconfig.json': app, 'src/main.ts': f('c: any') })).toEqual([])
  })

  test('a configuration that extends what is not there', async () => {
    const files = { 'tsconfig.json': { extends: './nowhere.json' }, 'src/main.ts': f('x: () => void') }
    expect(await check(files)).toEqual([
      'parameter 0 is a function',
      expect.stringMatching(/configuration was not used: .*nowhere/),
    ])
  })

  test('type parameters that only a host can read: are read by it, else told', async () => {
    const text = "import defer * as late from './late.ts'\nasync function f(x: () => void) { 'use lift'; return late }"
    const files = { 'tsconfig.json': app, 'src/main.ts': text, 'src/late.ts': 'export {}' }
    const reach = { kind: 'directive', ordinal: 0, captures: [] } as const
    expect(await check(files, { reach })).toEqual([expect.stringMatching(/could not be read/)])
    expect(await check(files, { reach, parse: (code, options) => parseAst(code, options) })).toContain(
      'parameter 0 is a function',
    )
  })
})
