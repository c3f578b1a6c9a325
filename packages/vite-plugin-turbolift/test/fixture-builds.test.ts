import { execFile } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { describe, expect, test } from 'vitest'

import { runProgram } from './built-program.ts'
import { createProject } from './bundlers.ts'

/**
 * Programs of several files, each built by the bundlers' own commands in a process of its own, as users do. A fixture
 * is a text: what is right, and behind each `=== path` a file.
 *
 *     bundlers: vite vite-7 rolldown
 *     out: what the program prints, lines joined by " | "
 *     told: a pattern that the build's messages match, where that is right in place of the output or beside it
 */
interface Fixture {
  readonly bundlers: readonly string[]
  readonly out: string | undefined
  readonly told: RegExp | undefined
  readonly files: Readonly<Record<string, string>>
}

const folder = join(import.meta.dirname, 'fixtures/built')

const VITE = `import { turbolift } from 'vite-plugin-turbolift'\nexport default { plugins: [turbolift({ typecheck: false })] }\n`
const ROLLDOWN = `import { turbolift } from 'vite-plugin-turbolift'
export default { input: 'src/main.ts', platform: 'node', plugins: [turbolift({ typecheck: false })], output: { dir: 'dist', format: 'esm' } }\n`

describe.each(readdirSync(folder))('%s', (name) => {
  const fixture = parseFixture(readFileSync(join(folder, name), 'utf8'))

  test.each(fixture.bundlers)('by %s', async (bundler) => {
    const defaults = { 'vite.config.ts': VITE, 'rolldown.config.mjs': ROLLDOWN }
    await using project = await createProject(
      { ...defaults, ...fixture.files },
      bundler === 'rolldown' ? 'vite' : bundler,
    )
    const { root } = project
    const own = join(import.meta.dirname, '..')
    await symlink(own, join(root, 'node_modules/vite-plugin-turbolift'))
    await symlink(join(own, 'node_modules/rolldown'), join(root, 'node_modules/rolldown'))
    const built = await build(root, bundler)
    if (fixture.told !== undefined) expect(built.text).toMatch(fixture.told)
    if (fixture.out === undefined) return
    expect(built.isBuilt, built.text).toBe(true)
    const { stdout } = await runProgram(root, { TURBOLIFT_TARGET: 'inline' })
    expect(stdout.trimEnd().replaceAll('\n', ' | ')).toBe(fixture.out)
  })
})

async function build(root: string, bundler: string): Promise<{ readonly text: string; readonly isBuilt: boolean }> {
  const words = bundler === 'rolldown' ? ['rolldown/bin/cli.mjs', '-c'] : ['vite/bin/vite.js', 'build']
  const [script = '', ...args] = words
  // Vitest's own variables would have the sources of this workspace loaded.
  const env = { ...process.env, VITEST: undefined, NO_COLOR: '1', FORCE_COLOR: undefined }
  const run = promisify(execFile)(process.execPath, [join('node_modules', script), ...args], { cwd: root, env })
  return await run.then(
    ({ stdout, stderr }) => ({ text: stdout + stderr, isBuilt: true }),
    (error: unknown) => ({ text: error instanceof Error ? toText(error) : String(error), isBuilt: false }),
  )
}

function toText(error: Error): string {
  return ['stdout', 'stderr'].map((key) => String(Reflect.get(error, key))).join('') + error.message
}

function parseFixture(text: string): Fixture {
  const [head = '', ...parts] = text.split(/^=== /m)
  const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(head)?.[1]
  const told = field('told')
  const files = parts.map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)])
  return {
    bundlers: field('bundlers')?.split(' ') ?? ['vite'],
    out: field('out'),
    told: told === undefined ? undefined : new RegExp(told),
    files: Object.fromEntries(files),
  }
}
