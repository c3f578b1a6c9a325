import { afterEach, describe, expect, test, vi } from 'vitest'
import type { BuildOptions, ViteDevServer } from 'vite'

import { addressOf } from '../src/dev/environment.ts'
import { createLoader } from '../src/dev/functions.ts'
import { importVite } from '../src/dev/import-vite.ts'
import { turbolift } from '../src/index.ts'
import { createProject } from './bundlers.ts'
import type { Project } from './bundlers.ts'

afterEach(() => vi.unstubAllEnvs())

async function startServer({ root }: Project, build: BuildOptions = {}): Promise<ViteDevServer & AsyncDisposable> {
  vi.stubEnv('TURBOLIFT_PROGRESS', '0')
  const vite = await importVite(root)
  const server = await vite.createServer({
    root,
    configFile: false,
    logLevel: 'silent',
    server: { middlewareMode: true, ws: false },
    build,
    plugins: [turbolift({ watch: false })],
  })
  return Object.assign(server, { [Symbol.asyncDispose]: () => server.close() })
}

const files = {
  'src/server.ts': `import { double } from './double'
export const here = process.pid
export async function work(n: number) {
  'use lift'
  return { n: double(n), there: process.pid }
}
console.log('side effect of the program')
`,
  'src/double.ts': 'export const double = (n: number) => n * 2',
}

describe.each(['vite', 'vite-7'])('the dev server of %s', (viteName) => {
  test('gives server code its workers, by whatever way it is loaded', async () => {
    await using project = await createProject(files, viteName)
    await using server = await startServer(project)
    const module = await server.ssrLoadModule('/src/server.ts')
    const { n, there } = await module['work'](21)
    expect(n).toBe(42)
    expect(there).not.toBe(module['here'])
  })

  test('refuses lifted functions in code for the browser, with their place', async () => {
    await using project = await createProject(files, viteName)
    await using server = await startServer(project)
    const request = server.environments.client.transformRequest('/src/server.ts')
    await expect(request).rejects.toThrow(/DIRECTIVE_IN_CLIENT[\s\S]*src\/server\.ts:3/)
  })

  test('gives workers no more than their side', async () => {
    await using project = await createProject(files, viteName)
    await using server = await startServer(project)
    const environment = server.environments['turbolift_worker']
    const code = (await environment?.transformRequest('/src/server.ts'))?.code ?? ''
    expect(code).toContain('$lifted')
    expect(code).not.toContain('side effect of the program')
    const main = (await server.environments.ssr.transformRequest('/src/server.ts'))?.code ?? ''
    expect(main).toContain('side effect of the program')
    expect(main).not.toContain('double')
  })

  test('keeps the exports of a lifted module that another one imports, though it was loaded without them', async () => {
    const shared = {
      'src/base.lift.ts': "export async function base() { return 'base' }\nexport const plain = 'plain'",
      'src/user.lift.ts':
        "import { base, plain } from './base.lift'\nexport async function user() { return [await base(), plain] }",
    }
    await using project = await createProject(shared, viteName)
    await using server = await startServer(project)
    const address = addressOf(server.environments['turbolift_worker']) ?? ''
    const load = createLoader({ address, root: project.root })
    const call = async (id: string): Promise<unknown> => Reflect.apply(Object(await load(id)), undefined, [])
    expect(await call('src/base.lift.ts#base')).toBe('base')
    expect(await call('src/user.lift.ts#user')).toEqual(['base', 'plain'])
    expect(await call('src/base.lift.ts#base')).toBe('base')
    expect(await load('src/base.lift.ts#gone')).toBeUndefined()
  })

  test('keeps no more of it than what is imported, and adds what is imported later', async () => {
    const shared = {
      'src/base.ts': `import { listen } from './listen'
export async function base() { 'use lift'; return 'base' }
export const [plain, other, third] = ['plain', 'other', 'third']
export { plain as renamed }
export const port = listen()`,
      'src/listen.ts': "export const listen = () => { throw new Error('a worker must not listen') }",
      'src/one.lift.ts': `import { base, plain } from './base'\nexport async function one() { return [await base(), plain] }`,
      'src/two.lift.ts': `import { again } from './again'\nexport async function two() { return again }`,
      'src/again.ts': `export { renamed as again } from './base'`,
      'src/three.lift.ts': `import * as all from './base'\nexport async function three() { return Object.keys(all) }`,
    }
    await using project = await createProject(shared, viteName)
    await using server = await startServer(project)
    const environment = server.environments['turbolift_worker']
    const load = createLoader({ address: addressOf(environment) ?? '', root: project.root })
    const call = async (id: string): Promise<unknown> => Reflect.apply(Object(await load(id)), undefined, [])
    expect(await call('src/one.lift.ts#one')).toEqual(['base', 'plain'])
    expect(await call('src/two.lift.ts#two')).toBe('plain')
    expect(await call('src/base.ts#base')).toBe('base')
    expect((await environment?.transformRequest('/src/base.ts'))?.code).not.toContain('listen')
    // What takes all of it takes that too, as in a build.
    await expect(call('src/three.lift.ts#three')).rejects.toThrow('a worker must not listen')
    await using _ = await project.edit({
      'src/three.lift.ts': `import { other } from './base'\nexport async function three() { return other }`,
    })
    await vi.waitFor(async () => expect(await call('src/three.lift.ts#three')).toBe('other'), { timeout: 30_000 })
  })

  test('refuses a worker that would load what the program starts from, until the import is gone', async () => {
    const limits = { 'src/check.ts': `import { limit } from './limit'\nexport const check = (n: number) => n < limit` }
    await using project = await createProject(
      {
        'src/start.ts': `import { work } from './work'\nexport { limit } from './limit'\nexport const start = () => work()`,
        'src/limit.ts': 'export const limit = 3',
        'src/work.ts': `import { check } from './check'\nexport async function work() { 'use lift'; return check(1) }`,
        'src/check.ts': `import { limit } from './start'\nexport const check = (n: number) => n < limit`,
      },
      viteName,
    )
    await using server = await startServer(project)
    const { start } = await server.ssrLoadModule('/src/start.ts')
    await expect(start()).rejects.toMatchObject({
      code: 'WORKER_REACHES_ENTRY',
      message: expect.stringMatching(/src\/work\.ts\n *src\/check\.ts\n *src\/start\.ts\n/),
    })
    await using _ = await project.edit(limits)
    await vi.waitFor(async () => expect(await start()).toBe(true), { timeout: 30_000 })
  })

  test.each([
    ['input', { ssr: true, rollupOptions: { input: 'src/start.ts' } }],
    ['library', { ssr: true, lib: { entry: 'src/start.ts' } }],
  ])('knows the entry that the configuration names as its %s', async (_, build) => {
    await using project = await createProject(
      {
        'src/start.ts': `export const limit = 3`,
        'src/work.ts': `import { limit } from './start'\nexport async function work() { 'use lift'; return limit }`,
      },
      viteName,
    )
    await using server = await startServer(project, build)
    const { work } = await server.ssrLoadModule('/src/work.ts')
    await expect(work()).rejects.toMatchObject({ code: 'WORKER_REACHES_ENTRY' })
  })
})
