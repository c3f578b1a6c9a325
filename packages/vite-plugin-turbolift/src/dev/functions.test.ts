import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { ViteDevServer } from 'vite'

import { liftedExportOf } from '../lifted-export.ts'
import { WORKER_ENVIRONMENT, addressOf, workerEnvironment } from './environment.ts'
import { createLoader } from './functions.ts'
import { importVite } from './import-vite.ts'
import { reloadWithoutHmr } from './reload.ts'

const require = createRequire(import.meta.url)

describe.each([
  ['vite', 'with hot updates'],
  ['vite', 'without hot updates'],
  ['vite-7', 'with hot updates'],
  ['vite-7', 'without hot updates'],
])('modules for workers from %s %s', (version, updates) => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'turbolift-loader-')))
  const write = (path: string, text: string) => writeFileSync(join(root, path), text)
  let server: ViteDevServer
  let address: string

  beforeAll(async () => {
    mkdirSync(join(root, 'src'))
    mkdirSync(join(root, 'node_modules'))
    symlinkSync(dirname(require.resolve(`${version}/package.json`)), join(root, 'node_modules/vite'), 'junction')
    write('package.json', '{ "type": "module" }')
    write('src/part.ts', 'export const word: string = "old"')
    write('src/job.ts', jobSource)
    const vite = await importVite(root)
    expect(vite.version.startsWith(version === 'vite' ? '8.' : '7.')).toBe(true)
    server = await vite.createServer({
      root,
      configFile: false,
      appType: 'custom',
      logLevel: 'silent',
      server: { middlewareMode: true, ws: false, ...(updates === 'without hot updates' ? { hmr: false } : {}) },
      environments: { [WORKER_ENVIRONMENT]: workerEnvironment() },
    })
    reloadWithoutHmr(server)
    address = addressOf(server.environments[WORKER_ENVIRONMENT]) ?? ''
  })
  afterAll(async () => {
    await server.close()
    rmSync(root, { recursive: true })
  })

  test('an edit is live in the next call of every executor, and calls that run end on the old code', async () => {
    const loaders = [createLoader({ address, root }), createLoader({ address, root })]
    const call = async (load: (typeof loaders)[number]) => callable(await load('src/job.ts#job'))()
    expect(await Promise.all(loaders.map(call))).toEqual(['old', 'old'])
    const running = callable(await loaders[0]?.('src/job.ts#held'))
    const held = running()
    write('src/part.ts', 'export const word: string = "new"')
    await vi.waitFor(async () => expect(await Promise.all(loaders.map(call))).toEqual(['new', 'new']))
    release()
    expect(await held).toBe('old')
  })

  test('errors show the position in the source', async () => {
    const fail = callable(await createLoader({ address, root })('src/job.ts#fail'))
    const error: unknown = await fail().then(undefined, (thrown: unknown) => thrown)
    expect(error instanceof Error ? error.stack : '').toContain('src/job.ts:11:9')
  })

  test('a syntax error is told to the caller, and forgotten when it is gone', async () => {
    const load = createLoader({ address, root })
    write('src/edited.ts', `export const ${liftedExportOf('src/edited.ts')} = { f: async () => 1 }`)
    expect(await callable(await load('src/edited.ts#f'))()).toBe(1)
    write('src/edited.ts', `export const ${liftedExportOf('src/edited.ts')} = { f: async () => ( }`)
    await vi.waitFor(() => expect(load('src/edited.ts#f')).rejects.toThrow(/edited\.ts/))
    write('src/edited.ts', `export const ${liftedExportOf('src/edited.ts')} = { f: async () => 3 }`)
    await vi.waitFor(async () => expect(await callable(await load('src/edited.ts#f'))()).toBe(3))
  })
})

const jobSource = `import { word } from './part'

export async function job() { return word }
export async function held() {
  await new Promise((resolve) => { globalThis.release = resolve })
  return word
}
interface NotThere { at: Date }
export async function fail(): Promise<NotThere> {
  // The position that the test looks for:
  throw new RangeError('out')
}
export const ${liftedExportOf('src/job.ts')} = { job, held, fail }
`

function release(): void {
  void callable(Reflect.get(globalThis, 'release'))()
}

function callable(value: unknown): () => Promise<unknown> {
  if (typeof value !== 'function') throw new Error('not a function')
  return async () => value()
}
