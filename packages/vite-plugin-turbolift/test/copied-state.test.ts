import { describe, expect, test } from 'vitest'

import { turbolift } from '../src/index.ts'
import { bundlers, createProject } from './bundlers.ts'

const main = `import { count, read } from './counter'
export async function work(n: number) {
  'use lift'
  return count() + n
}
console.log(await work(1), read(), count())`

const counter = (comment = '') => `${comment}
import { seen } from './seen'
export const LIMITS: readonly number[] = [1, 2]
let total = 0
export function count(): number {
  seen.add(total)
  return (total += LIMITS.length)
}
export const read = (): number => total`

const files = {
  'src/main.ts': main,
  'src/counter.ts': counter(),
  // Only its own top level fills it, so both copies are the same.
  'src/seen.ts': 'export const seen = new Set<number>()\nseen.add(0)',
}

describe.each(bundlers)('by $name', (bundler) => {
  const warningsOf = async (sources: Readonly<Record<string, string>>) => {
    await using project = await createProject(sources, bundler.viteName)
    const warnings: string[] = []
    const plugins = turbolift({ typecheck: false }).map((plugin) => withWarn(plugin, warnings))
    await bundler.build({ root: project.root, input: { main: 'src/main.ts' }, plugins })
    return warnings
  }

  test('state that the program and workers both change is told, with its place', async () => {
    const [warning, ...others] = await warningsOf(files)
    expect(others).toEqual([])
    expect(warning).toContain('MODULE_STATE_COPIED')
    expect(warning).toContain('functions change "total"')
    expect(warning).toMatch(/src\/counter\.ts:4:5/)
  })

  test('a comment says that each side may have its own', async () => {
    expect(await warningsOf({ ...files, 'src/counter.ts': counter('// @turbolift-own-copy') })).toEqual([])
  })

  test('what only workers import is theirs', async () => {
    const own = main.replace('read(), count()', '')
    expect(await warningsOf({ ...files, 'src/main.ts': own })).toEqual([])
  })
})

/** The plugin, with its warnings kept. */
function withWarn<T extends { readonly name: string }>(plugin: T, warnings: string[]): T {
  const buildEnd: unknown = Reflect.get(plugin, 'buildEnd')
  if (plugin.name !== 'turbolift' || typeof buildEnd !== 'function') return plugin
  const warn = ({ message }: { readonly message: string }) => void warnings.push(message)
  return {
    ...plugin,
    buildEnd(this: object, ...args: unknown[]) {
      const context = new Proxy(this, {
        get: (target, key) => {
          const value: unknown = key === 'warn' ? warn : Reflect.get(target, key)
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
      return Reflect.apply(buildEnd, context, args)
    },
  }
}
