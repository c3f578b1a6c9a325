import { existsSync } from 'node:fs'
import { symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createRequire } from 'node:module'

import { describe, expect, test } from 'vitest'

import { turbolift } from '../src/index.ts'
import { bundlers, createProject } from './bundlers.ts'
import type { Bundler, Project } from './bundlers.ts'

const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'))

const badProgram = `import type { Hooks } from './hooks'
async function work(n: number, hooks: Hooks): Promise<number> {
  'use lift'
  return n
}
const start = (key: symbol) => {
  const inner = async (): Promise<symbol> => { 'use lift'; return key }
  return inner
}
console.log(work, start, tasks.run)
export default async () => { 'use lift'; return new WeakMap() }
import { tasks } from './tasks.lift'
`
const files = {
  'src/main.ts': badProgram,
  'src/hooks.ts': 'export interface Hooks { onDone(): void }',
  'src/tasks.lift.ts':
    'async function go(x: { done?: () => void }) { return x }\nexport { go as run }\nexport const tasks = { run: 1 }',
}

/** The error that ended a build, or else what it warned of. */
async function buildMessage(bundler: Bundler, project: Project, options = {}): Promise<string> {
  const input = { main: 'src/main.ts' }
  const plugins = [turbolift(options)].flat()
  return bundler.build({ root: project.root, input, plugins }).then(
    (warnings) => warnings.join('\n'),
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
}

describe.each(bundlers)('types with $name', (bundler) => {
  test('all values that cannot be sent are reported at once, with file and frame, and nothing is built', async () => {
    await using project = await createProject(files, bundler.viteName)
    await symlink(typescript, join(project.root, 'node_modules/typescript'))
    const message = await buildMessage(bundler, project)
    expect(message).toContain('TYPE_NOT_SENDABLE: "work": parameter 1.onDone is a function.')
    expect(message).toContain('src/main.ts:3:3')
    expect(message).toContain("3 |   'use lift'")
    expect(message).toContain('TYPE_NOT_SENDABLE: "start.inner": capture key is a symbol.')
    expect(message).toContain('TYPE_NOT_SENDABLE: "start.inner": result is a symbol.')
    expect(message).toContain('TYPE_NOT_SENDABLE: "default": result is a WeakMap.')
    expect(message).not.toContain('may be')
    expect(existsSync(join(project.root, 'dist'))).toBe(false)
  })

  test('the check can be switched off', async () => {
    await using project = await createProject(files, bundler.viteName)
    await symlink(typescript, join(project.root, 'node_modules/typescript'))
    expect(await buildMessage(bundler, project, { typecheck: false })).toBe('')
    expect(existsSync(join(project.root, 'dist/main.js'))).toBe(true)
  })

  test('a project without TypeScript is built', async () => {
    await using project = await createProject(files, bundler.viteName)
    expect(await buildMessage(bundler, project)).toBe('')
    expect(existsSync(join(project.root, 'dist/main.js'))).toBe(true)
  })
})
