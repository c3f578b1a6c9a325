import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'

import { describe, expect, test } from 'vitest'

import { createProject } from './bundlers.ts'
import type { Project } from './bundlers.ts'

const config = {
  'vite.config.ts': "import { turbolift } from 'vite-plugin-turbolift'\nexport default { plugins: [turbolift()] }",
}

async function createDevProject(files: Readonly<Record<string, string>>, viteName = 'vite'): Promise<Project> {
  const project = await createProject({ ...config, ...files }, viteName)
  await symlink(resolve(import.meta.dirname, '..'), join(project.root, 'node_modules/vite-plugin-turbolift'))
  return project
}

function startDev(project: Project, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const command = join(project.root, 'node_modules/turbolift/dist/cli/main.js')
  const child = spawn(process.execPath, [command, 'dev', ...args], {
    cwd: project.root,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      VITEST: undefined,
      NODE_PATH: undefined,
      TURBOLIFT_PROGRESS: '0',
      TMPDIR: join(project.root, 'tmp'),
      ...env,
    },
  })
  return { child, stderr: text(child.stderr), ended: once(child, 'close') }
}

async function runDev(project: Project, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { child, stderr, ended } = startDev(project, args, env)
  const [stdout, errors] = await Promise.all([text(child.stdout), stderr, ended])
  return {
    stdout,
    stderr: errors,
    exitCode: child.exitCode,
    left: (await readdir(join(project.root, 'tmp'))).filter((name) => name.startsWith('turbolift-dev')),
  }
}

const program = {
  'tmp/.keep': '',
  'src/main.ts': `import { liftContext, map } from 'turbolift'
import { word } from './word'
import { other } from './other.lift'
interface Answer { n: number; isElsewhere: boolean; word: string }
const main = process.pid
console.log('main', process.argv.slice(2).join(' '))
async function square(n: number, from: number): Promise<Answer> {
  'use lift'
  return { n: n * n, isElsewhere: process.pid !== from, word }
}
async function fail(): Promise<void> {
  'use lift'
  throw new RangeError('out of ' + typeof liftContext().workerId)
}
const start = (k: number) => async (n: number) => { 'use lift'; return n + k }
console.log(JSON.stringify(await square(3, main)), await map(start(10), [1, 2]), await other(1))
await fail().catch((error: Error) => console.log(error.message, /src\\/main\\.ts:13:9/.test(error.stack ?? '')))
process.exitCode = 3
`,
  'src/word.ts': "export const word: string = 'hello'",
  'src/other.lift.ts':
    "import { twice } from './third.lift'\nexport async function other(n: number) { return [await twice(n), shared] }\nexport const shared = 'shared'",
  'src/third.lift.ts': "export async function twice(n: number) { return n * 2 }\nconsole.log('never in the program')",
}

describe.each(['vite', 'vite-7'])('turbolift dev with %s', (viteName) => {
  test.each(['local', 'inline'])('runs a program from its sources with target %s', async (target) => {
    await using project = await createDevProject(program, viteName)
    const ended = await runDev(project, ['src/main.ts', '--', 'a', '-b'], { TURBOLIFT_TARGET: target })
    expect(ended.stderr).toBe('')
    expect(ended.stdout.split('\n')).toEqual([
      'main a -b',
      `{"n":9,"isElsewhere":${target === 'local'},"word":"hello"} [ 11, 12 ] [ 2, 'shared' ]`,
      'out of string true',
      '',
    ])
    expect(ended).toMatchObject({ exitCode: 3, left: [] })
  })

  test('an edit is live in the next call, and a call that runs ends on the old code', async () => {
    await using project = await createDevProject(
      {
        'tmp/.keep': '',
        'src/word.ts': "export const word: string = 'old'",
        'src/main.ts': `import { existsSync } from 'node:fs'
import { word } from './word'
async function get() { 'use lift'; return word }
async function hold(path: string) {
  'use lift'
  while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 5))
  return word
}
const held = hold('released')
console.log(await get())
for await (const line of (await import('node:readline')).createInterface({ input: process.stdin })) {
  while (!(await get().catch((error) => error.message)).includes(line));
  console.log(line)
}
console.log(await held)
`,
      },
      viteName,
    )
    const { child, stderr } = startDev(project, ['src/main.ts'], { TURBOLIFT_CONCURRENCY: '2' })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const next = async () => {
      // Vite says that it reloads.
      for (;;) {
        const { value } = await lines.next()
        if (!String(value).includes('page reload')) return value
      }
    }
    const edit = async (word: string, expected: string) => {
      await using _ = await project.edit({ 'src/word.ts': word })
      child.stdin.write(`${expected}\n`)
      expect(await next()).toBe(expected)
    }
    expect(await next()).toBe('old')
    await edit("export const word: string = 'new'", 'new')
    await edit('export const word: string = (', 'src/word.ts')
    await edit("export const word: string = 'mended'", 'mended')
    await project.write({ released: '' })
    child.stdin.end()
    expect(await next()).toBe('old')
    await stderr
  })

  test('a mistake of the user is told with its place', async () => {
    await using project = await createDevProject(
      { 'tmp/.keep': '', 'src/main.ts': "function work() {\n  'use lift'\n}\nconsole.log(work)" },
      viteName,
    )
    const { stderr, exitCode } = await runDev(project, ['src/main.ts'])
    expect(stderr).toContain('FUNCTION_NOT_ASYNC')
    expect(stderr).toContain('src/main.ts:1')
    expect(stderr).not.toContain('triggerUncaughtException')
    expect(exitCode).toBe(1)
  })

  test('a worker that would load the program itself is refused, with the way there', async () => {
    await using project = await createDevProject(
      {
        'tmp/.keep': '',
        'src/main.ts': "import { work } from './work'\nexport const limit = 3\nconsole.log('started')\nawait work()",
        'src/work.ts': "import { limit } from './main'\nexport async function work() { 'use lift'; return limit }",
      },
      viteName,
    )
    const { stdout, stderr, exitCode } = await runDev(project, ['src/main.ts'])
    expect(stdout).toBe('started\n')
    expect(stderr).toMatch(/WORKER_REACHES_ENTRY[\s\S]*src\/work\.ts\n *src\/main\.ts\n/)
    expect(exitCode).toBe(1)
  })

  test('a cluster is refused, since it does not reach the server', async () => {
    await using project = await createDevProject(
      { 'tmp/.keep': '', 'src/main.ts': "async function work() { 'use lift' }\nawait work()" },
      viteName,
    )
    const { stderr, left } = await runDev(project, ['src/main.ts'], { TURBOLIFT_TARGET: 'kubernetes' })
    expect(stderr).toContain('TARGET_NOT_IN_DEV')
    expect(left).toEqual([])
  })
})

test('a configuration without the plugin, and a folder without it', async () => {
  await using project = await createDevProject({
    'tmp/.keep': '',
    'vite.config.ts': 'export default {}',
    'src/main.ts': '',
  })
  expect(await runDev(project, ['src/main.ts'])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('PLUGIN_NOT_CONFIGURED'),
  })
  await using other = await createProject({ 'tmp/.keep': '', 'src/main.ts': '' })
  expect(await runDev(other, ['src/main.ts'])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('PLUGIN_MISSING'),
  })
})
