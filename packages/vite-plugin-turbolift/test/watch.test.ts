import { join } from 'node:path'

import { watch as watchByRolldown } from 'rolldown'
import { watch as watchByRollup } from 'rollup'
import esbuild from 'rollup-plugin-esbuild'
import { build as buildByVite8 } from 'vite'
import { afterEach, describe, expect, test } from 'vitest'

import { turbolift } from '../src/plugin.ts'
import { runProgram } from './built-program.ts'
import { createProject, importVite7 } from './bundlers.ts'
import type { AnyPlugin } from './bundlers.ts'

interface Watcher {
  on(
    event: 'event',
    listener: (event: { readonly code: string; readonly result?: { close(): unknown } | null }) => void,
  ): unknown
  close(): unknown
}

const cleanUps: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

interface Host {
  readonly name: string
  /** Package name of the Vite that the project has. */
  readonly viteName: string
  start(root: string, ...others: readonly AnyPlugin[]): Promise<Watcher>
}

const hosts: readonly Host[] = [
  { name: 'Vite 8', viteName: 'vite', start: (root, ...others) => watchByVite(buildByVite8, root, others) },
  {
    name: 'Vite 7',
    viteName: 'vite-7',
    start: async (root, ...others) => watchByVite((await importVite7()).build, root, others),
  },
  {
    name: 'Rollup',
    viteName: 'vite',
    async start(root, ...others) {
      const plugins = [esbuild({ target: 'node20' }), ...turbolift({ typecheck: false }), ...others]
      const input = join(root, 'src/main.ts')
      return toWatcher(
        watchByRollup({ input, plugins, external: /^(?:node:|turbolift)/, output: { dir: join(root, 'dist') } }),
      )
    },
  },
  {
    name: 'rolldown',
    viteName: 'vite',
    async start(root, ...others) {
      const input = join(root, 'src/main.ts')
      const plugins = [...turbolift({ typecheck: false }), ...others]
      return toWatcher(
        watchByRolldown({ input, cwd: root, platform: 'node', plugins, output: { dir: join(root, 'dist') } }),
      )
    },
  },
]

async function watchByVite(build: typeof buildByVite8, root: string, others: readonly AnyPlugin[]): Promise<Watcher> {
  const options = { build: { watch: {}, ssr: 'src/main.ts', minify: false } as const, logLevel: 'silent' } as const
  const plugins = [...turbolift({ typecheck: false }), ...others]
  return toWatcher(await build({ root, configFile: false, plugins, ...options }))
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
    const prints = (output: string, after: string) =>
      expect.poll(() => print(project.root), { ...patience, message: after }).toBe(output)
    const edit = async (path: string, code: string, output: string, what: string) => {
      await using _ = await project.edit({ [path]: code })
      await prints(output, what)
    }
    const work = (body: string) =>
      `import { factor } from './factor.ts'\nexport async function work(n: number) {\n${body}\n}`
    await prints('2\n', 'the first build')
    await edit('src/factor.ts', 'export const factor = 30', '30\n', 'an edit of a dependency of workers only')
    await edit('src/work.ts', work(`  'use lift'\n  return n + factor`), '31\n', 'an edit of the lifted body')
    expect(watching.errors).toBe(0)
    {
      await using _ = await project.edit({ 'src/work.ts': work(`  'use lift'\n  return n + `) })
      await expect.poll(() => watching.errors, { ...patience, message: 'a syntax error' }).toBeGreaterThan(0)
    }
    await edit('src/work.ts', work(`  'use lift'\n  return n - factor`), '-29\n', 'its correction')
    await edit('src/work.ts', work('  return n * 7 + factor * 0'), '7\n', 'the removal of the directive')
  })

  test('builds no workers when only the other side of their modules changes', async () => {
    const main = (step: number) => `
      import { factor } from './factor.ts'
      async function work(n: number) {
        'use lift'
        if (n < 0) throw new RangeError('negative')
        return n * factor
      }
      const place = await work(-1).catch((error: Error) => /main\\.ts:\\d+/.exec(error.stack ?? '')?.[0])
      console.log(await work(1), place, ${step})`
    await using project = await createProject(
      { 'src/main.ts': main(0), 'src/factor.ts': 'export const factor = 2' },
      host.viteName,
    )
    /** Times that a build of workers read what only they use. */
    let builds = 0
    const counting = {
      name: 'counting',
      transform(_: string, id: string) {
        if (id.endsWith('factor.ts')) builds += 1
        return null
      },
    }
    follow(await host.start(project.root, counting))
    const prints = (output: string) => expect.poll(() => print(project.root), patience).toBe(output)
    await prints('2 main.ts:5 0\n')
    const first = builds
    {
      await using _ = await project.edit({ 'src/main.ts': main(1) })
      await prints('2 main.ts:5 1\n')
    }
    expect(builds).toBe(first)
    await using _ = await project.edit({ 'src/main.ts': `// Its places move down.\n${main(2)}` })
    await prints('2 main.ts:6 2\n')
    expect(builds).toBeGreaterThan(first)
  })

  test('a file that is edited while workers are built is read again by the next build', async () => {
    const main = (step: number) => `
      import { factor } from './factor.ts'
      async function work(n: number) { 'use lift'; return n * factor }
      console.log(await work(1), ${step})`
    await using project = await createProject(
      { 'src/main.ts': main(0), 'src/factor.ts': 'export const factor = 2' },
      host.viteName,
    )
    let isEdited = false
    const editing = {
      name: 'editing',
      async transform(_: string, id: string) {
        if (isEdited || !id.endsWith('factor.ts')) return
        isEdited = true
        await project.write({ 'src/factor.ts': 'export const factor = 30' })
      },
    }
    follow(await host.start(project.root, editing))
    await expect.poll(() => print(project.root), patience).toMatch(/^(?:2|30) 0\n$/)
    await using _ = await project.edit({ 'src/main.ts': main(1) })
    await expect.poll(() => print(project.root), patience).toBe('30 1\n')
  })
})

const patience = { timeout: 60_000, interval: 100 }

/** What the program prints; while a build replaces it, why it does not run. */
async function print(root: string): Promise<string> {
  return await runProgram(root).then(
    ({ stdout }) => stdout,
    (error: unknown) => String(error),
  )
}

/** One edit may be seen as two, so builds are not counted; errors are. */
function follow(watcher: Watcher): { readonly errors: number } {
  const seen = { errors: 0 }
  watcher.on('event', ({ code, result }) => {
    if (code === 'BUNDLE_END') void result?.close()
    if (code === 'ERROR') seen.errors += 1
  })
  cleanUps.push(() => watcher.close())
  return seen
}

function toWatcher(value: unknown): Watcher {
  if (typeof value !== 'object' || value === null || !('on' in value)) throw new TypeError('This is no watcher.')
  return value as Watcher
}
