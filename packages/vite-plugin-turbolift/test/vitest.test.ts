import { execFile } from 'node:child_process'
import { symlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'

import { describe, expect, test } from 'vitest'

import { createProject } from './bundlers.ts'
import type { Project } from './bundlers.ts'

const vitest = dirname(createRequire(import.meta.url).resolve('vitest/package.json'))

const files = {
  'vite.config.ts': `import { turbolift } from 'vite-plugin-turbolift'
export default { plugins: [turbolift()], test: { globals: true, pool: process.env.TEST_POOL } }`,
  'src/jobs.ts': `import { factor } from './factor'
export async function scale(n: number) {
  'use lift'
  return { n: n * factor, pid: process.pid }
}
export const start = (k: number) => async (n: number) => { 'use lift'; return n + k }
export async function fail(): Promise<void> {
  'use lift'
  throw new RangeError('out')
}
`,
  'src/factor.ts': 'export const factor = 10',
  'src/jobs.test.ts': `import { map } from 'turbolift'
import { fail, scale, start } from './jobs'
const where = process.env.TURBOLIFT_TARGET === 'local' ? 'elsewhere' : 'here'
test('results', async () => {
  const { n, pid } = await scale(2)
  expect({ n, where: pid === process.pid ? 'here' : 'elsewhere' }).toEqual({ n: 20, where })
  expect(await start(5)(1)).toBe(6)
  expect((await map(scale, [1, 2, 3])).map(({ n }) => n)).toEqual([10, 20, 30])
})
test('names and stacks', async () => {
  expect([scale.name, scale.length]).toEqual(['scale', 1])
  const error = await fail().then(undefined, (thrown) => thrown)
  expect(error).toBeInstanceOf(RangeError)
  expect(error.stack).toMatch(/src\\/jobs\\.ts:9:9/)
})
`,
  'src/mocked.test.ts': `import { scale } from './jobs'
vi.mock('./factor', () => ({ factor: 7 }))
test.skipIf(process.env.TURBOLIFT_TARGET === 'local')('mocks reach lifted functions that run here', async () => {
  expect((await scale(2)).n).toBe(14)
})
`,
  'src/main.ts': 'export const limit = 3',
  'src/reaching.ts': `import { limit } from './main'
export async function reach() { 'use lift'; return limit }`,
  'src/reaching.test.ts': `import { reach } from './reaching'
test.skipIf(process.env.TURBOLIFT_TARGET !== 'local')('workers do not load the main entry', async () => {
  await expect(reach()).rejects.toThrow(/WORKER_REACHES_ENTRY/)
})
`,
}

async function createTestProject(): Promise<Project> {
  const project = await createProject(files)
  const link = (target: string, name: string) => symlink(target, join(project.root, 'node_modules', name))
  await link(resolve(import.meta.dirname, '..'), 'vite-plugin-turbolift')
  await link(vitest, 'vitest')
  return project
}

async function runTests({ root }: Project, env: Readonly<Record<string, string>>): Promise<string> {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST') && name !== 'NODE_ENV')
  const run = promisify(execFile)(process.execPath, [join(vitest, 'vitest.mjs'), 'run', '--reporter=json'], {
    cwd: root,
    env: { ...Object.fromEntries(own), TURBOLIFT_PROGRESS: '0', ...env },
  })
  const { stdout } = await run.catch((error: { readonly stdout: string }) => error)
  return stdout
}

describe.each(['forks', 'threads'])('a Vitest project with the plugin, in %s', (pool) => {
  test.each([{}, { TURBOLIFT_TARGET: 'local' }])('passes with %o', async (env) => {
    await using project = await createTestProject()
    const report: unknown = JSON.parse(await runTests(project, { TEST_POOL: pool, ...env }))
    // One is for each of the two ways.
    expect(report).toMatchObject({ success: true, numPassedTests: 3, numPendingTests: 1 })
  })
})
