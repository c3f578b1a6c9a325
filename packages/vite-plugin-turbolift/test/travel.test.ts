import { symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'

import { encodeArguments } from '@turbolift/worker-base/wire'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { checkTypes } from '../src/typecheck/check.ts'
import type { TypeProblem } from '../src/typecheck/check.ts'
import { createProject } from './bundlers.ts'
import type { Project } from './bundlers.ts'

class WithMethod {
  open(): void {}
}

/** A type of an argument, and a value of it: the check at build time and the copy at run time have to agree. */
const kinds: readonly (readonly [type: string, value: unknown])[] = [
  ['number | bigint | string | null | undefined', -0],
  ['bigint', 1n],
  ['Date', new Date()],
  ['RegExp', /a/g],
  ['URL', new URL('https://example.com')],
  ['URLSearchParams', new URLSearchParams('a=1')],
  ['Map<string, Set<Date>>', new Map([['a', new Set([new Date()])]])],
  ['{ a?: number[]; b: readonly [string, boolean] }', { b: ['c', true] }],
  ['Uint8Array', new Uint8Array(1)],
  ['Float64Array', new Float64Array(1)],
  ['BigInt64Array', new BigInt64Array(1)],
  ['DataView', new DataView(new ArrayBuffer(1))],
  ['ArrayBuffer', new ArrayBuffer(1)],
  ['Buffer', Buffer.from('a')],
  ['Blob', new Blob(['a'])],
  ['File', new File(['a'], 'a.txt')],
  ['ReadableStream<Uint8Array>', new Blob(['a']).stream()],
  ['ReadableStream<string>', new Response('a').body?.pipeThrough(new TextDecoderStream())],
  ["import('node:stream').Readable", Readable.from(['a'])],
  ['AbortSignal', new AbortController().signal],
  ['Error', new TypeError('a', { cause: new Error('b') })],
  ['AggregateError', new AggregateError([new Error('a')])],
  ['Iterable<number>', [1]],
  ['() => void', () => undefined],
  ['symbol', Symbol('a')],
  ['{ onDone(): void }', { onDone: () => undefined }],
  ['Promise<number>', Promise.resolve(1)],
  ['{ later: PromiseLike<number> }', { later: Promise.resolve(1) }],
  ['WeakMap<object, number>', new WeakMap()],
  ['WeakSet<object>', new WeakSet()],
  ['WeakRef<object>', new WeakRef({})],
  ['SharedArrayBuffer', new SharedArrayBuffer(1)],
  ['new () => object', Date],
  ['{ open(): void }', new WithMethod()],
  ['Headers', new Headers()],
  ['Response', new Response('a')],
  ['FormData', new FormData()],
  ['Generator<number>', [1][Symbol.iterator]()],
  ['RegExpMatchArray', 'in 1984'.match(/(?<y>\d+)/)],
  ['number[] & { label: string }', Object.assign([1], { label: 'a' })],
  ['number[] & { done: () => void }', Object.assign([1], { done: () => undefined })],
  ['Date & { zone: string }', Object.assign(new Date(), { zone: 'a' })],
  [
    'Date & { shift(): Date }',
    new (class extends Date {
      shift(): Date {
        return this
      }
    })(),
  ],
  [
    'Map<string, number> & { increase(key: string): void }',
    new (class extends Map {
      increase(): void {}
    })(),
  ],
  ['Set<string> & { note: string }', Object.assign(new Set(), { note: 'a' })],
  ['Int32Array<SharedArrayBuffer>', new Int32Array(new SharedArrayBuffer(4))],
  ['Uint8Array<ArrayBuffer>', new Uint8Array(2)],
  ["import('node:buffer').Blob", new Blob(['a'])],
  ["import('node:buffer').File", new File(['a'], 'a.txt')],
  ['{ id: string } & { readonly __brand: unique symbol }', { id: 'a' }],
  ['{ id: string; __type?: (x: string) => string }', { id: 'a' }],
  ['{ id: string; __brand?: symbol }', { id: 'a' }],
  ['TemplateStringsArray', ((texts: TemplateStringsArray) => texts)`a`],
  [
    'AsyncGenerator<number>',
    (async function* () {
      yield 1
    })(),
  ],
]

describe('what the types let through travels, and nothing else', () => {
  let project: Project
  let problems: readonly TypeProblem[]
  beforeAll(async () => {
    const compilerOptions = {
      target: 'es2023',
      module: 'esnext',
      moduleResolution: 'bundler',
      strict: true,
      types: ['node'],
    }
    project = await createProject({
      'tsconfig.json': JSON.stringify({ compilerOptions: { ...compilerOptions, lib: ['es2023', 'dom'] } }),
      ...Object.fromEntries(
        kinds.map(([type], index) => [`src/k${index}.ts`, `export async function f(x: ${type}) {}`]),
      ),
    })
    const folderOf = (name: string) => dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
    await symlink(folderOf('typescript'), join(project.root, 'node_modules/typescript'))
    await symlink(dirname(folderOf('@types/node')), join(project.root, 'node_modules/@types'))
    const subjects = kinds.map((_, index) => ({
      id: `src/k${index}.ts#f`,
      module: join(project.root, `src/k${index}.ts`),
      reach: { kind: 'export', name: 'f' } as const,
    }))
    const result = await checkTypes(subjects, { root: project.root })
    expect(result.notes).toEqual([])
    problems = result.problems
  })
  afterAll(() => project[Symbol.asyncDispose]())

  test.each(kinds.map(([type, value], index) => ({ type, value, index })))('$type', async ({ value, index }) => {
    const isRefused = problems.some(({ subject }) => subject.id === `src/k${index}.ts#f`)
    const encode = async () => await encodeArguments([], [value], { keepStreams: true })
    if (isRefused) await expect(encode()).rejects.toThrow('cannot be sent')
    else await expect(encode()).resolves.toBeDefined()
  })
})
