import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { checkTypes } from './check.ts'
import type { TypecheckResult } from './check.ts'
import type { TypecheckSubject } from './subject.ts'

const require = createRequire(import.meta.url)
const versions = ['typescript-5.9', 'typescript-6', 'typescript']

/** Signatures that must be reported: source of `f`, and what is said. `?` marks what is not certain. */
const refused: Record<string, readonly [source: string, ...problems: string[]]> = {
  'function parameter': ['export async function f(done: () => void) {}', 'parameter 0 is a function'],
  'second parameter': ['export async function f(n: number, done: () => void) {}', 'parameter 1 is a function'],
  'nested callback': [
    'export async function f(x: { options: { onDone(n: number): void } }) {}',
    'parameter 0.options.onDone is a function',
  ],
  'nested result': [
    'interface Conn { query(sql: string): string }; export async function f() { return { meta: { conn: {} as Conn } } }',
    'result.meta.conn.query is a function',
  ],
  'class itself': ['export async function f(x: { Type: new () => object }) {}', 'parameter 0.Type is a function'],
  'Function type': ['export async function f(x: Function) {}', 'parameter 0 is a function'],
  symbol: ['export async function f() { return Symbol() }', 'result is a symbol'],
  'unique symbol': [
    'declare const key: unique symbol; export async function f(x: typeof key) {}',
    'parameter 0 is a symbol',
  ],
  'promise inside': ['export async function f() { return { later: Promise.resolve(1) } }', 'result.later is a promise'],
  'promise in array': ['export async function f(x: Promise<number>[]) {}', 'parameter 0[] is a promise'],
  WeakMap: ['export async function f(x: WeakMap<object, string>) {}', 'parameter 0 is a WeakMap'],
  SharedArrayBuffer: ['export async function f(x: SharedArrayBuffer) {}', 'parameter 0 is a SharedArrayBuffer'],
  WeakSet: ['export async function f(x: { seen: WeakSet<object> }) {}', 'parameter 0.seen is a WeakSet'],
  WeakRef: ['export async function f(x: WeakRef<object>) {}', 'parameter 0 is a WeakRef'],
  'class with a method': [
    'class Pool { size = 1; open() { return 1 } }; export async function f(pool: Pool) {}',
    'parameter 0.open is a function',
  ],
  'class with many methods': [
    'class Pool { a() {}; b() {}; c() {} }; export async function f() { return { pool: new Pool() } }',
    'result.pool.a is a function (and 2 more of the same object)',
  ],
  'in Map value': ['export async function f(x: Map<string, () => void>) {}', 'parameter 0.values()[] is a function'],
  'in Map key': ['export async function f(x: Map<() => void, 1>) {}', 'parameter 0.keys()[] is a function'],
  'in Set': ['export async function f(x: ReadonlySet<symbol>) {}', 'parameter 0.values()[] is a symbol'],
  'in array': ['export async function f(x: readonly (() => void)[]) {}', 'parameter 0[] is a function'],
  'in tuple': ['export async function f(x: [number, () => void]) {}', 'parameter 0[1] is a function'],
  'in record': ['export async function f(x: Record<string, () => void>) {}', 'parameter 0[] is a function'],
  'rest parameter': ['export async function f(n: number, ...all: (() => void)[]) {}', 'a rest parameter is a function'],
  'only a rest parameter': ['export async function f(...all: { s: symbol }[]) {}', 'a rest parameter.s is a symbol'],
  'variadic tuple': ['export async function f(x: [string, ...symbol[]]) {}', '?parameter 0[] is a symbol'],
  'item of an async iterable': [
    'export async function f(x: AsyncIterable<{ run(): void }>) {}',
    'parameter 0[].run is a function',
  ],
  'item of a stream': [
    'export async function f() { return { rows: new ReadableStream<() => void>() } }',
    'result.rows[] is a function',
  ],
  'async iterable that is yielded, and may be a stream': [
    'export async function* f() { yield new Blob().stream() as AsyncIterable<Uint8Array> }',
    '?yielded value is an async iterable',
  ],
  'async generator that is yielded': [
    'export async function* f() { yield { items: (async function* () { yield 1 })() } }',
    'yielded value.items is an async iterable',
  ],
  'stream of texts that is yielded': [
    'export async function* f() { yield new Response("a").body!.pipeThrough(new TextDecoderStream()) }',
    'yielded value is a stream of other values than bytes',
  ],
  'optional property': ['export async function f(x: { onDone?: () => void }) {}', '?parameter 0.onDone is a function'],
  'optional parameter': ['export async function f(done?: () => void) {}', '?parameter 0 is a function'],
  'one member of a union': ['export async function f(x: string | (() => string)) {}', '?parameter 0 is a function'],
  'both members of a union': [
    'export async function f(x: symbol | (() => string)) {}',
    'parameter 0 is a function',
    'parameter 0 is a symbol',
  ],
  'generic constraint': [
    'export async function f<T extends { run(): void }>(x: T) {}',
    'parameter 0.run is a function',
  ],
  'yielded value': ['export async function* f() { yield { at: () => 1 } }', 'yielded value.at is a function'],
  'returned by a generator': ['export async function* f() { yield 1; return Symbol() }', 'result is a symbol'],
  'AbortSignal as result': [
    'export async function f() { return { signal: new AbortController().signal } }',
    'result.signal.addEventListener is a function (and 3 more of the same object)',
  ],
  'error-like object with a callback': [
    'export async function f(x: { name: string; message: string; retry(): void }) {}',
    'parameter 0.retry is a function',
  ],
  'sync generator as result': [
    'export async function f() { return (function* () { yield 1 })() }',
    expect.stringContaining(' is a function'),
  ],
  'a generator that is told values': [
    'export async function* f(): AsyncGenerator<number, string, number> { const n = yield 1; return String(n) }',
    'result is a generator that takes values by next(value)',
  ],
  'error of a class of its own': [
    'class E extends Error { code = 1; toJSON() { return {} } }; export async function f() { return [new E()] }',
    '?result[] is an error of a class of its own, which arrives without its class, methods and getters',
  ],
  'the response of a request': [
    'export async function f() { return fetch("x") }',
    expect.stringContaining(' is a function'),
  ],
}

/** Signatures that say nothing against: what the wire carries, and what cannot be known. */
const accepted: Record<string, string> = {
  primitives:
    'export async function f(a: string, b: number, c: bigint, d: boolean, e: null, g?: string) { return undefined }',
  'no result': 'export async function f() {}',
  'built-in values':
    'export async function f(a: Date, b: RegExp, c: URL, d: URLSearchParams) { return [a, b, c, d] as const }',
  collections: 'export async function f(a: Map<string, Set<Date>>, b: ReadonlyMap<string, bigint>) { return { a, b } }',
  'binary data':
    'export async function f(a: Uint8Array, b: ArrayBuffer, c: Float64Array, d: DataView, e: BigInt64Array) { return [a, e] }',
  Buffer: 'export async function f(a: Buffer) { return Buffer.concat([a]) }',
  'Blob and stream': 'export async function f(a: Blob, b: ReadableStream<Uint8Array>) { return { a, b } }',
  'streams of bytes, and of what is not known':
    'export async function f(a: ReadableStream, b?: ReadableStream<any>, c?: ReadableStream<Buffer>) { return new Response("a").body! }',
  'streams of objects and texts':
    'export async function f(x: { rows: ReadableStream<{ id: number }> }) { return new Response("a").body!.pipeThrough(new TextDecoderStream()) }',
  'async iterables':
    'export async function f(a: AsyncIterable<Uint8Array>, b: AsyncGenerator<{ id: number }>) { return { items: (async function* () { yield 1 })() } }',
  'streams of Node': 'export async function f(a: import("node:stream").Readable, b: NodeJS.ReadableStream) {}',
  'AbortSignal as argument': 'export async function f(signal: AbortSignal, o: { signal?: AbortSignal }) { return 1 }',
  errors:
    'export async function f(a: Error & { code?: number }) { return [a, new RangeError(), new AggregateError([])] }',
  'recursive type':
    'interface Tree { value: number; children: Tree[]; parent?: Tree }; export async function f(t: Tree) { return t }',
  'recursive JSON':
    'type Json = string | number | null | boolean | Json[] | { [k: string]: Json }; export async function f(j: Json) { return j }',
  generic: 'export async function f<T>(x: T, y: T[]) { return { x, y } }',
  'generic record': 'export async function f<K extends string, V>(x: Record<K, V>) { return x }',
  'branded primitive':
    'declare const b: unique symbol; type Id = string & { readonly [b]: true }; export async function f(x: Id) { return x }',
  'branded by a text': 'type Id = number & { readonly __brand: "Id" }; export async function f(x: Id) { return [x] }',
  'interface of data':
    'interface P { readonly x: number; tags?: readonly string[] }; export async function f(p: P): Promise<P> { return p }',
  'class of data': 'class P { constructor(public x: number) {} }; export async function f(p: P) { return p.x }',
  'any and unknown': 'export async function f(a: any, b: unknown, c: { d: any }): Promise<any> { return a }',
  never: 'export async function f(): Promise<never> { throw 1 }',
  'object types': 'export async function f(a: object, b: {}, c: Record<string, never>) { return a }',
  enum: 'enum E { A, B }; export async function f(e: E) { return E.A }',
  'async generator that is asked for values':
    'export async function* f(): AsyncGenerator<number, string, undefined> { yield 1; return "" }; export async function* g(): AsyncGenerator<number, string, void> { yield 1; return "" }',
  'async generator': 'export async function* f(n: number) { yield { n }; return new Map([[1, new Date()]]) }',
  'iterable interface': 'export async function f(x: Iterable<number>, y: ArrayLike<string>) { return 1 }',
  'destructured and default':
    'export async function f({ a, b = 2 }: { a: string; b?: number }, [c]: [Date], d = 1) { return { a, c, d } }',
  'discriminated union':
    'type S = { kind: "a"; n: number } | { kind: "b"; at: Date }; export async function f(s: S) { return s }',
  'object with toString': 'export async function f(x: { toString(): string }) { return 1 }',
  'promise as the result itself': 'export async function f(): Promise<number[]> { return Promise.all([1]) }',
  'a type error of the user': 'export async function f(x: Missing) { const n: number = "text"; return n }',
}

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'turbolift-types-')))
afterAll(() => rmSync(folder, { recursive: true }))

const cases = [...Object.values(refused).map(([source]) => source), ...Object.values(accepted)]

describe.each(versions)('%s', (version) => {
  const root = join(folder, version)
  let result: TypecheckResult

  beforeAll(async () => {
    writeProject(root, version)
    cases.forEach((source, index) => write(root, `src/case${index}.ts`, source))
    result = await checkTypes(
      cases.map((_, index) => exported(root, `src/case${index}.ts`)),
      { root },
    )
  })

  test('checks everything but a type of an unknown name', () => {
    const { unchecked, ...others } = result
    expect({ ...others, unchecked: [], problems: [] }).toEqual(nothing)
    expect(unchecked.map(({ source, reason }) => `${source}: ${reason}`)).toEqual([
      expect.stringMatching(/Missing.*: .*case\d+\.ts\(1,\d+\): error TS2304: .*'Missing'/),
    ])
  })

  test.each(Object.entries(refused))('refuses %s', (_, [source, ...problems]) => {
    expect(problemsOf(result, cases.indexOf(source))).toEqual(problems)
  })

  test.each(Object.entries(accepted))('accepts %s', (_, source) => {
    expect(problemsOf(result, cases.indexOf(source))).toEqual([])
  })

  test('reaches functions that nothing exports', async () => {
    write(root, 'src/inside/conn.ts', 'export interface Conn { query(): void }')
    write(root, 'src/inside/main.ts', insideSource)
    const inside = await checkTypes(insideSubjects(root), { root })
    expect({ ...inside, problems: [] }).toEqual(nothing)
    expect(
      inside.problems.map(
        ({ subject, problem, isCertain, at, source }) =>
          `${lineOf(source, at.start)} ${subject.id}: ${isCertain ? '' : '?'}${problem}`,
      ),
    ).toEqual(insideProblems)
  })
})

const insideSource = `import type { Conn } from './conn.ts'
// { 'use lift' } in a comment, and "// text" with its marks
async function top(conn: Conn) {
  'use lift'
}
export function outer(k: number, open: () => void) {
  const inner = async (x: Date) => { "use lift: heavy"; return () => k }
  const jobs = { async run(cb: () => void) {
    'use lift'
  } }
  return [inner, jobs, [top].map(async (job, i) => { /* why */ 'use lift'
    return { i, run: () => job } })]
}
class Tasks { static async go(x: WeakSet<object>) { 'use lift'; return new Date() } }
const quote = /["'\x60]/
declare function each<I, O>(f: (input: I) => Promise<O>, inputs: I[]): Promise<O[]>
each(async key => { 'use strict'; 'use lift'; return { of: key } }, [Symbol()])
each(async <T extends number>(n: T): Promise<() => T> => {
  'use lift'
  return () => n
}, [1])
each(async function (n) { 'use lift'; return new WeakRef({ n }) }, [1])
each(async (n, done = async () => {}) => {
  'use lift'
  return each(async (m) => { return m }, [n])
}, [1])
export default {
  async 'a b'(stop: () => void) { 'use lift' },
  async *rows(n: number) { 'use lift'; yield { n, next: () => n } },
  gen: async function* () { 'use lift'; yield Promise.resolve(1) as unknown },
}
export const Named = class { static async go() { 'use lift'; return Symbol() }; static run = async () => { 'use lift'; return new WeakSet() } }
`
const insideProblems = [
  '4 0: parameter 0.query is a function',
  '7 1: capture open is a function',
  '7 1: result is a function',
  '9 2: parameter 0 is a function',
  '11 3: parameter 0 is a function',
  '11 3: result.run is a function',
  '14 4: parameter 0 is a WeakSet',
  '17 5: parameter 0 is a symbol',
  '17 5: result.of is a symbol',
  '19 6: result is a function',
  '22 7: result is a WeakRef',
  '24 8: ?parameter 1 is a function',
  '28 9: parameter 0 is a function',
  '29 10: yielded value.next is a function',
  '32 12: result is a symbol',
  '32 13: result is a WeakSet',
]

function insideSubjects(root: string): readonly TypecheckSubject[] {
  return Array.from({ length: 14 }, (_, ordinal) => ({
    id: String(ordinal),
    module: join(root, 'src/inside/main.ts'),
    reach: { kind: 'directive', ordinal, captures: ordinal === 1 ? ['k', 'open'] : [] },
  }))
}

describe('what stands around', () => {
  test('says so when there is no TypeScript', async () => {
    const root = join(folder, 'without')
    write(root, 'package.json', '{}')
    write(root, 'src/a.ts', 'export async function f(x: () => void) {}')
    const { problems, notes } = await checkTypes([exported(root, 'src/a.ts')], { root })
    expect(problems).toEqual([])
    expect(notes).toEqual([expect.stringContaining('no "typescript" in this project')])
  })

  test('says why when the compiler stops before the types', async () => {
    const root = join(folder, 'broken')
    writeProject(root, 'typescript')
    write(root, 'src/a.ts', 'export async function f(x: () => void) { return ( }')
    const { problems, warnings } = await checkTypes([exported(root, 'src/a.ts')], { root })
    expect(problems).toEqual([])
    expect(warnings).toEqual([expect.stringMatching(/were not checked: .*src\/a\.ts\(1,\d+\): error TS1109/)])
  })

  test('says so when the source of a function inside another cannot be read', async () => {
    const root = join(folder, 'unreadable')
    writeProject(root, 'typescript')
    write(root, 'src/a.ts', "async function f(x: () => void) { 'use lift'; return ( }")
    const reach = { kind: 'directive', ordinal: 0, captures: [] } as const
    const { problems, warnings } = await checkTypes([{ id: 'f', module: join(root, 'src/a.ts'), reach }], { root })
    expect(problems).toEqual([])
    expect(warnings).toEqual([expect.stringMatching(/src\/a\.ts were not checked: the source could not be read/)])
  })

  test.each(versions)(
    '%s: follows a configuration of references, its rootDirs, paths and ambient types',
    async (version) => {
      const root = join(folder, `settings-${version}`)
      writeProject(root, version)
      write(root, 'tsconfig.json', '{ "files": [], "references": [{ "path": "./tsconfig.app.json" }] } // solution')
      write(
        root,
        'tsconfig.app.json',
        JSON.stringify({
          extends: './generated/base.json',
          compilerOptions: { ...strict, composite: true },
          include: ['src'],
        }),
      )
      write(
        root,
        'generated/base.json',
        JSON.stringify({ compilerOptions: { rootDirs: ['..', './types'], paths: { '#lib/*': ['../lib/*'] } } }),
      )
      write(root, 'generated/types/src/$types.ts', 'export interface Hooks { load(): void }')
      write(root, 'lib/conn.ts', 'export interface Conn { query(): void }')
      write(root, 'env.d.ts', 'declare interface Ambient { notify(): void }')
      write(
        root,
        'src/main.ts',
        `import type { Hooks } from './$types.js'\nimport type { Conn } from '#lib/conn'\nasync function f(a: Hooks, b: Conn, c: Ambient) {\n  'use lift'\n}`,
      )
      const subject = {
        id: 'f',
        module: join(root, 'src/main.ts'),
        reach: { kind: 'directive', ordinal: 0, captures: [] },
      } as const
      const { problems, ...others } = await checkTypes([subject], { root })
      expect({ ...others, problems: [] }).toEqual(nothing)
      expect(problems.map(({ problem }) => problem)).toEqual([
        'parameter 0.load is a function',
        'parameter 1.query is a function',
        'parameter 2.notify is a function',
      ])
    },
  )

  test.each(versions)('%s: follows changes of what it has checked before', async (version) => {
    const root = join(folder, `changes-${version}`)
    const check = async () => (await checkTypes([exported(root, 'src/a.ts')], { root })).problems.length
    writeProject(root, version)
    write(root, 'env.d.ts', 'declare interface Ambient { size: number }')
    write(root, 'src/imported.ts', 'export interface Imported { size: number }')
    write(
      root,
      'src/a.ts',
      'import type { Imported } from "./imported.ts"\nexport async function f(a: Ambient, b: Imported) {}',
    )
    expect(await check()).toBe(0)
    write(root, 'env.d.ts', 'declare interface Ambient { close(): void }')
    expect(await check()).toBe(1)
    write(root, 'src/imported.ts', 'export interface Imported { close(): void }')
    expect(await check()).toBe(2)
  })

  test('leaves modules without a file alone', async () => {
    const root = join(folder, 'virtual')
    writeProject(root, 'typescript')
    expect(await checkTypes([exported(root, 'src/nowhere.ts')], { root })).toEqual(nothing)
  })

  test('leaves JavaScript alone', async () => {
    const root = join(folder, 'plain')
    write(root, 'src/a.js', 'export async function f(x) {}')
    expect(await checkTypes([exported(root, 'src/a.js')], { root })).toEqual(nothing)
  })
})

const nothing = { problems: [], unchecked: [], warnings: [], notes: [] }

const strict = {
  target: 'es2023',
  module: 'esnext',
  moduleResolution: 'bundler',
  strict: true,
  types: ['node'],
  skipLibCheck: true,
}

function writeProject(root: string, version: string): void {
  write(root, 'package.json', '{ "type": "module" }')
  write(
    root,
    'tsconfig.json',
    JSON.stringify({ compilerOptions: { ...strict, lib: ['es2023', 'dom'], rootDir: 'src', outDir: 'dist' } }),
  )
  link(root, 'typescript', dirname(require.resolve(`${version}/package.json`)))
  link(root, '@types/node', dirname(require.resolve('@types/node/package.json')))
}

function link(root: string, name: string, target: string): void {
  const path = join(root, 'node_modules', name)
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(target, path, 'junction')
}

function write(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

function exported(root: string, path: string): TypecheckSubject {
  return { id: `${path}#f`, module: join(root, path), reach: { kind: 'export', name: 'f' } }
}

function problemsOf({ problems }: TypecheckResult, index: number): string[] {
  const own = problems.filter(({ subject }) => subject.module.endsWith(`/case${index}.ts`))
  return own.map(({ problem, isCertain }) => `${isCertain ? '' : '?'}${problem}`).toSorted()
}

function lineOf(source: string, offset: number): number {
  return source.slice(0, offset).split('\n').length
}
