import { createHash, randomBytes } from 'node:crypto'

import { afterEach, describe, expect, test } from 'vitest'

import { turbolift } from '../src/plugin.ts'
import { readProgram, runProgram } from './built-program.ts'
import { bundlers, createProject } from './bundlers.ts'
import type { Bundler, Project } from './bundlers.ts'

const projects: Project[] = []

afterEach(async () => {
  await Promise.all(projects.splice(0).map((project) => project[Symbol.asyncDispose]()))
})

/** Builds `src/main.ts` of a new project. */
async function build(bundler: Bundler, files: Readonly<Record<string, string>>, minify = false): Promise<string> {
  const project = await createProject(files, bundler.viteName)
  projects.push(project)
  const plugins = turbolift({ typecheck: false })
  await bundler.build({ root: project.root, input: { main: 'src/main.ts' }, plugins, minify })
  return project.root
}

function rejectionOf(building: Promise<unknown>): Promise<Error & { code?: string; loc?: object }> {
  return building.then(
    () => {
      throw new Error('The build went well.')
    },
    (error: unknown) => error as Error,
  )
}

describe.each(bundlers)('$name', (bundler) => {
  test("keeps what is the main program's out of the workers, and the other way round", async () => {
    const root = await build(bundler, {
      'src/main.ts': `
        import { heavy } from 'heavy'
        import { Client } from 'database'
        // @turbolift-main
        import './setup.ts'
        import { shared } from './shared.ts'
        const secret = 'MARKER_SECRET'
        const client = new Client(secret)
        console.log('MARKER_PRINT')
        function startServer() { return 'MARKER_SERVER' }
        startServer()
        async function work(n: number) {
          'use lift'
          return heavy(n) + shared()
        }
        console.log(await work(2), client.name)`,
      'src/setup.ts': `globalThis.MARKER_SETUP = true; console.log('MARKER_SETUP_RAN')`,
      'src/shared.ts': `export const shared = () => 10; export const unusedByAnyone = 'MARKER_UNUSED'`,
      'node_modules/heavy/package.json': '{ "name": "heavy", "type": "module", "main": "index.js" }',
      'node_modules/heavy/index.js': `console.log('MARKER_HEAVY_LOADED'); export const heavy = (n) => n * 100`,
      'node_modules/database/package.json': '{ "name": "database", "type": "module", "main": "index.js" }',
      'node_modules/database/index.js': `console.log('MARKER_DATABASE'); export class Client { constructor(s) { this.name = 'db' + s.length } }`,
    })
    const { main, workerCode } = await readProgram(root)
    for (const marker of [
      'MARKER_SECRET',
      'MARKER_PRINT',
      'MARKER_SERVER',
      'MARKER_SETUP',
      'MARKER_DATABASE',
      'MARKER_UNUSED',
    ]) {
      expect(workerCode, 'in the workers').not.toContain(marker)
    }
    expect(workerCode).toContain('MARKER_HEAVY_LOADED')
    expect(main, 'in the main program').not.toContain('MARKER_HEAVY_LOADED')
    expect(main).toContain('MARKER_DATABASE')
    const { stdout } = await runProgram(root, { TURBOLIFT_WORKER_OUTPUT: 'none' })
    expect(stdout).toContain('210 db13')
  })

  test('CommonJS packages of both sides, and what they require, give no warnings', async () => {
    await using project = await createProject(
      {
        'src/main.ts': `
          import { twice } from 'outer'
          async function work(n: number) { 'use lift'; return twice(n) }
          console.log(await work(2), twice(3))`,
        'node_modules/outer/package.json': '{ "name": "outer", "main": "index.js" }',
        'node_modules/outer/index.js': `const { add } = require('./add'); exports.twice = (n) => add(n, n) + require('inner').zero`,
        'node_modules/outer/add.js': `const { zero } = require('inner'); exports.add = (a, b) => a + b + zero`,
        'node_modules/inner/package.json': JSON.stringify({
          name: 'inner',
          exports: { '.': { import: './index.mjs', require: './index.cjs' } },
        }),
        'node_modules/inner/index.mjs': `throw new Error('for import')`,
        'node_modules/inner/index.cjs': `exports.zero = 0`,
      },
      bundler.viteName,
    )
    const plugins = turbolift({ typecheck: false })
    expect(await bundler.build({ root: project.root, input: { main: 'src/main.ts' }, plugins })).toEqual([])
    expect((await runProgram(project.root)).stdout).toBe('4 6\n')
  })

  test('packages that are to stay outside are taken from where they are installed', async () => {
    await using project = await createProject(
      {
        'src/main.ts': `
          import { font } from 'fonts'
          import { size } from 'fonts/size'
          async function draw(name: string) { 'use lift'; return font(name) + size }
          console.log(await draw('small'))`,
        'node_modules/fonts/package.json': JSON.stringify({
          name: 'fonts',
          type: 'module',
          exports: { '.': './index.js', './size': './size.js' },
        }),
        'node_modules/fonts/index.js': `
          import { createRequire } from 'node:module'
          export const font = (name) => createRequire(import.meta.url)('./data/' + name + '.json').font`,
        'node_modules/fonts/size.js': 'export const size = 12',
        'node_modules/fonts/data/small.json': '{ "font": "Small" }',
      },
      bundler.viteName,
    )
    const plugins = turbolift({ typecheck: false, external: ['fonts'] })
    expect(await bundler.build({ root: project.root, input: { main: 'src/main.ts' }, plugins })).toEqual([])
    const { main, workerCode } = await readProgram(project.root)
    expect(main).toMatch(/externals["']?: ?\[["'`]fonts["'`]\]/)
    expect(workerCode).toMatch(/from ["']fonts\/size["']/)
    expect((await runProgram(project.root)).stdout).toBe('Small12\n')
  })

  test('takes of a lifted module that workers import what they import, and nothing else', async () => {
    const root = await build(bundler, {
      'src/main.ts': `
        import { work } from './work.ts'
        import { base, connection } from './base.ts'
        console.log(await work(2), await base(1), connection.name)`,
      'src/work.ts': `
        import start, { base, FACTOR } from './base.ts'
        import { helper } from './helper.ts'
        export async function work(n: number) { 'use lift'; return [start, await base(n) * FACTOR, helper(n)] }`,
      'src/helper.ts': `export { add as helper } from './base.ts'`,
      'src/base.ts': `
        console.log('MARKER_EFFECT')
        const open = (name: string) => { console.log('MARKER_OPENED'); return { name } }
        export const connection = open('db')
        export const add = (n: number) => n + 1, FACTOR = 10
        export default 'start'
        export async function base(n: number) { 'use lift'; return n }`,
    })
    const { workerCode } = await readProgram(root)
    for (const marker of ['MARKER_EFFECT', 'MARKER_OPENED']) expect(workerCode).not.toContain(marker)
    const { stdout } = await runProgram(root)
    expect(stdout).toContain("[ 'start', 20, 3 ] 1 db")
    expect(stdout.match(/MARKER_OPENED/g)).toHaveLength(1)
  })

  test('shows the source of errors on both sides, minified or not', async () => {
    for (const minify of [false, true]) {
      const root = await build(
        bundler,
        {
          'src/main.ts': `import { fail } from './fail.ts'
const reason: string = 'MARKER'
try {
  await fail({ reason })
} catch (error) {
  console.log((error as Error).stack)
}`,
          'src/fail.ts': `interface Options { reason: string }

export async function fail(options: Options): Promise<never> {
  'use lift'
  throw new RangeError(\`no \${options.reason}\`)
}`,
        },
        minify,
      )
      const { stdout } = await runProgram(root)
      expect(stdout).toMatch(/RangeError: no MARKER\n.*src\/fail\.ts:5:\d+/)
      expect(stdout).toContain('src/main.ts:4:')
    }
  })

  test('takes JSON, CommonJS, dynamic imports and built-ins along', async () => {
    const root = await build(bundler, {
      'src/main.ts': `
        import { jobs } from './jobs.ts'
        console.log(JSON.stringify(await jobs(3)))`,
      'src/jobs.ts': `
        import legacy from 'legacy'
        import { createHash } from 'node:crypto'
        export async function jobs(n: number) {
          'use lift'
          const { late } = await import('./late.ts')
          return [legacy.double(n), createHash('md5').update('a').digest('hex').length, late(n)]
        }`,
      'src/late.ts': `export const late = (n: number) => 'late ' + n`,
      'node_modules/legacy/package.json': '{ "name": "legacy", "main": "index.js" }',
      'node_modules/legacy/index.js': `const os = require('os'); module.exports = { double: (n) => n * 2, cores: os.cpus().length }`,
    })
    expect((await runProgram(root)).stdout).toBe('[6,32,"late 3"]\n')
  })

  test('lets workers share a lifted module that others of theirs import', async () => {
    const root = await build(bundler, {
      'src/main.ts': `
        import { total } from './total.ts'
        import { one } from './one.ts'
        console.log(await total(), await one())`,
      'src/total.ts': `
        import { viaHelper } from './helper.ts'
        import { one } from './one.ts'
        export async function total() { 'use lift'; return (await one()) + (await viaHelper()) }`,
      'src/helper.ts': `import { one, step } from './one.ts'; export const viaHelper = async () => (await one()) + step`,
      'src/one.ts': `export const step = 5; export async function one() { 'use lift'; return 1 }`,
    })
    expect((await runProgram(root)).stdout).toBe('7 1\n')
  })

  test('follows what lifted modules export to each other', async () => {
    const root = await build(bundler, {
      'src/main.ts': `
        import { first } from './first.ts'
        import { second } from './second.ts'
        import { third } from './third.ts'
        console.log(await first(), await second(), await third())`,
      'src/first.ts': `import { double } from './second.ts'; export async function first() { 'use lift'; return double(4) }`,
      'src/second.ts': `
        import { step } from './third.ts'
        export const double = (n: number) => n * 2 + step
        export async function second() { 'use lift'; return 2 }`,
      'src/third.ts': `export const step = 100; export async function third() { 'use lift'; return 3 }`,
    })
    expect((await runProgram(root)).stdout).toBe('108 2 3\n')
  })

  test('refuses workers that would load the main entry, and names the way', async () => {
    const error = await rejectionOf(
      build(bundler, {
        'src/main.ts': `import { work } from './work.ts'\nexport const limit = 3\nconsole.log(await work())`,
        'src/work.ts': `import { check } from './check.ts'\nexport async function work() { 'use lift'; return check(1) }`,
        'src/check.ts': `import { limit } from './main.ts'\nexport const check = (n: number) => n < limit`,
      }),
    )
    expect(error.message).toContain('WORKER_REACHES_ENTRY')
    expect(error.message).toMatch(/src\/work\.ts\n.*src\/check\.ts\n.*src\/main\.ts/)
  })

  test('fails the build with all problems of a module, their places and code frames', async () => {
    const error = await rejectionOf(
      build(bundler, {
        'src/main.ts': `type N = number

export function square(n: N) {
  'use lift'
  return n * n
}
export async function self() {
  'use lift'
  return this
}`,
      }),
    )
    expect(error.message).toContain('FUNCTION_NOT_ASYNC: The lifted function "square" is not async.')
    expect(error.message).toMatch(/src\/main\.ts:3:8/)
    expect(error.message).toContain('3 | export function square(n: N) {')
    expect(error.message).toMatch(/USES_THIS[\s\S]*src\/main\.ts:9:10/)
  })

  test('puts the code of workers into the hash of the main chunk', async () => {
    const files = (factor: number) => ({
      'src/main.ts': `import { work } from './work.ts'\nconsole.log(await work(1))`,
      'src/work.ts': `import { factor } from './factor.ts'\nexport async function work(n: number) { 'use lift'; return n * factor }`,
      'src/factor.ts': `export const factor = ${factor}`,
    })
    const [two, again, three] = [
      await build(bundler, files(2)),
      await build(bundler, files(2)),
      await build(bundler, files(3)),
    ]
    const [first, second, third] = await Promise.all([two, again, three].map(readProgram))
    expect(first?.workerCode).toBe(second?.workerCode)
    expect(first?.workerCode).not.toBe(third?.workerCode)
    expect((await runProgram(three)).stdout).toBe('3\n')
  })
})

test('files of many megabytes reach the workers whole', async () => {
  const [vite8] = bundlers
  if (vite8 === undefined) throw new Error('There is no bundler.')
  // Random, so that they are as large when they are compressed.
  const table = randomBytes(5_000_000).toString('base64')
  const root = await build(vite8, {
    'src/table.json': JSON.stringify({ table }),
    'src/main.ts': `
      import { createHash } from 'node:crypto'
      import { table } from './table.json'
      async function digest() { 'use lift'; return createHash('sha256').update(table).digest('hex') }
      console.log(await digest())`,
  })
  expect((await runProgram(root)).stdout).toBe(`${createHash('sha256').update(table).digest('hex')}\n`)
})

test("rolldown's list of slow hooks is not printed for the time that workers take to build, and for others it is", async () => {
  const [vite8] = bundlers
  const told: string[] = []
  const slow = {
    name: 'slow',
    async buildStart(times: unknown) {
      await new Promise((resolve) => setTimeout(resolve, 2_000 * (typeof times === 'number' ? times : 1)))
    },
    onLog(_: string, { code, message }: { readonly code?: string; readonly message: string }) {
      if (code?.endsWith('_TIMINGS') === true) told.push(...(message.match(/(?<=- plugin ).*(?= \(\d)/g) ?? []))
    },
  }
  let builds = 0
  const slowInWorkers = {
    ...slow,
    name: 'slow-in-workers',
    buildStart: undefined,
    async transform(_: string, id: string) {
      if (id.endsWith('main.ts')) builds += 1
      if (builds === 2) await slow.buildStart(2)
    },
  }
  const files = { 'src/main.ts': `export async function work() { 'use lift'; return 1 }` }
  const buildWith = async (...plugins: readonly object[]) => {
    await using project = await createProject(files)
    const all = [...turbolift({ typecheck: false }), ...plugins] as ReturnType<typeof turbolift>
    await vite8?.build({ root: project.root, input: { main: 'src/main.ts' }, plugins: all })
    return told.splice(0)
  }
  expect(await buildWith(slowInWorkers)).toEqual(['slow-in-workers transform'])
  builds = 0
  const slower = { ...slow, buildStart: () => slow.buildStart(2) }
  const both = expect.arrayContaining(['slow buildStart', 'turbolift buildEnd'])
  expect(await buildWith(slower, slowInWorkers)).toEqual(both)
})
