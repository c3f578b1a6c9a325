import { join } from 'node:path'

import { watch as watchByRolldown } from 'rolldown'
import { watch as watchByRollup } from 'rollup'
import esbuild from 'rollup-plugin-esbuild'
import { build as buildByVite8 } from 'vite'
import { afterEach, describe, expect, test } from 'vitest'

import { turbolift } from '../src/plugin.ts'
import { readProgram, runProgram } from './built-program.ts'
import { createProject, importVite7 } from './bundlers.ts'

interface Watcher {
  on(
    event: 'event',
    listener: (event: { readonly code: string; readonly result?: { close(): unknown } | null }) => void,
  ): unknown
  close(): unknown
}

interface Watching {
  /** The end of the next build: `END`, or `ERROR`. */
  next(): Promise<string>
}

const cleanUps: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

interface Host {
  readonly name: string
  /** Package name of the Vite that the project has. */
  readonly viteName: string
  start(root: string): Promise<Watcher>
}

const hosts: readonly Host[] = [
  { name: 'Vite 8', viteName: 'vite', start: (root) => watchByVite(buildByVite8, root) },
  { name: 'Vite 7', viteName: 'vite-7', start: async (root) => watchByVite((await importVite7()).build, root) },
  {
    name: 'Rollup',
    viteName: 'vite',
    async start(root) {
      const plugins = [esbuild({ target: 'node20' }), ...turbolift({ typecheck: false })]
      const input = join(root, 'src/main.ts')
      return toWatcher(
        watchByRollup({ input, plugins, external: /^(?:node:|turbolift)/, output: { dir: join(root, 'dist') } }),
      )
    },
  },
  {
    name: 'rolldown',
    viteName: 'vite',
    async start(root) {
      const input = join(root, 'src/main.ts')
      const plugins = turbolift({ typecheck: false })
      return toWatcher(
        watchByRolldown({ input, cwd: root, platform: 'node', plugins, output: { dir: join(root, 'dist') } }),
      )
    },
  },
]

async function watchByVite(build: typeof buildByVite8, root: string): Promise<Watcher> {
  const options = { build: { watch: {}, ssr: 'src/main.ts', minify: false } as const, logLevel: 'silent' } as const
  return toWatcher(await build({ root, configFile: false, plugins: turbolift({ typecheck: false }), ...options }))
}

describe.each(hosts)('$name', (host) => {
  test('builds again what an edit concerns, and recovers from errors', async () => {
    await using project = await createProject(
      {
        'src/main.ts': `import { work } from './work.ts'\nconsole.log(await work(1))`,
        'src/work.ts': `import { factor } from './factor.ts'\nexport async function work(n: number) {\n  'use lift'\n  return n * factor\n}`,
        'src/factor.ts': 'export const factor = 2',
      },
      host.viteName,
    )
    const watching = follow(await host.start(project.root))
    expect(await watching.next()).toBe('END')
    expect((await runProgram(project.root)).stdout).toBe('2\n')

    await project.write({ 'src/factor.ts': 'export const factor = 30' })
    expect(await watching.next(), 'a dependency of workers only').toBe('END')
    expect((await readProgram(project.root)).workerCode).toContain('30')

    const work = (body: string) => ({
      'src/work.ts': `import { factor } from './factor.ts'\nexport async function work(n: number) {\n${body}\n}`,
    })
    await project.write(work(`  'use lift'\n  return n + factor`))
    expect(await watching.next(), 'the lifted body').toBe('END')
    expect((await runProgram(project.root)).stdout).toBe('31\n')

    await project.write(work(`  'use lift'\n  return n + `))
    expect(await watching.next(), 'a syntax error').toBe('ERROR')
    await project.write(work(`  'use lift'\n  return n - factor`))
    expect(await watching.next(), 'its correction').toBe('END')
    expect((await runProgram(project.root)).stdout).toBe('-29\n')

    await project.write(work('  return n * 7 + factor * 0'))
    expect(await watching.next(), 'the removal of the directive').toBe('END')
    expect((await runProgram(project.root)).stdout).toBe('7\n')
  })
})

function follow(watcher: Watcher): Watching {
  const ends: string[] = []
  const waiting: ((code: string) => void)[] = []
  watcher.on('event', ({ code, result }) => {
    if (code === 'BUNDLE_END') void result?.close()
    if (code !== 'END' && code !== 'ERROR') return
    // An error is followed by an end, which is not of another build.
    if (code === 'END' && isAfterError) {
      isAfterError = false
      return
    }
    isAfterError = code === 'ERROR'
    const take = waiting.shift()
    if (take === undefined) ends.push(code)
    else take(code)
  })
  let isAfterError = false
  cleanUps.push(() => watcher.close())
  return {
    next: () => {
      const known = ends.shift()
      return known === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(known)
    },
  }
}

function toWatcher(value: unknown): Watcher {
  if (typeof value !== 'object' || value === null || !('on' in value)) throw new TypeError('This is no watcher.')
  return value as Watcher
}
