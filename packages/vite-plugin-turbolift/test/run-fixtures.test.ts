import { execFile } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { beforeAll, describe, expect, test } from 'vitest'

import { turbolift } from '../src/plugin.ts'
import { bundlers, createProject } from './bundlers.ts'
import type { AnyPlugin, Bundler } from './bundlers.ts'

const fixtures = join(import.meta.dirname, 'fixtures/split')

/** Runnable fixtures export `run`; what it returns, throws and prints must be the same split and unsplit. */
const runnable = readdirSync(fixtures).filter((name) => {
  const files = readdirSync(join(fixtures, name))
  return files.includes('main.expected.js') && /export (?:async )?(?:function|const) run\b/.test(read(name))
})

const runner = `
import { inspect } from 'node:util'
const describe = (value) => inspect(value, { depth: 20, compact: true, breakLength: Infinity })
const results = {}
for (const name of JSON.parse(process.argv[2])) {
  const module = await import(new URL('./dist/' + name + '.js', import.meta.url).href)
  try {
    results[name] = describe(await module.run())
  } catch (error) {
    results[name] = 'throws ' + error.name + ': ' + error.message
  }
}
process.stdout.write('\\n' + JSON.stringify(results))
`

describe('fixtures run the same split and unsplit', () => {
  let unsplit: Record<string, string> = {}
  beforeAll(async () => {
    const [vite8] = bundlers
    if (vite8 !== undefined) unsplit = await runAll(vite8, [])
  })

  test.each(bundlers)('$name', async (bundler) => {
    expect(Object.keys(unsplit)).toEqual(runnable)
    expect(await runAll(bundler, turbolift({ typecheck: false, pools: { heavy: {} } }))).toEqual(unsplit)
  })
})

async function runAll(bundler: Bundler, plugins: readonly AnyPlugin[]): Promise<Record<string, string>> {
  const sources = Object.fromEntries(runnable.map((name) => [`src/${fileOf(name)}`, read(name)]))
  await using project = await createProject({ ...sources, 'run.mjs': runner }, bundler.viteName)
  const input = Object.fromEntries(runnable.map((name) => [name, `src/${fileOf(name)}`]))
  const warnings = await bundler.build({ root: project.root, input, plugins })
  if (plugins.length > 0) {
    expect(await readLiftIds(join(project.root, 'dist'))).toBeGreaterThan(runnable.length)
    expect(warnings.flatMap(toHeadings).toSorted()).toEqual(runnable.flatMap(readWarnings).toSorted())
  }
  const env = { ...process.env, TURBOLIFT_TARGET: 'inline', VITEST: undefined }
  const { stdout } = await promisify(execFile)(process.execPath, ['run.mjs', JSON.stringify(runnable)], {
    cwd: project.root,
    env,
  })
  return parseResults(stdout.slice(stdout.lastIndexOf('\n')))
}

/** How many functions the manifest in the built program has: that they really were lifted. */
async function readLiftIds(folder: string): Promise<number> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.js'))
  const texts = await Promise.all(files.map((path) => readFile(join(folder, path), 'utf8')))
  // Each entry of its table of functions has the hash of its code.
  return texts.join('').split(/["'`]?code["'`]?: ?["'`][0-9a-f]{64}["'`]/).length - 1
}

function parseResults(text: string): Record<string, string> {
  return JSON.parse(text) as Record<string, string>
}

/** What a fixture that is built is to warn of. */
function readWarnings(name: string): string[] {
  const files = readdirSync(join(fixtures, name))
  return files.includes('error.expected.txt')
    ? toHeadings(readFileSync(join(fixtures, name, 'error.expected.txt'), 'utf8'))
    : []
}

/** The first line of each message: its code, and what happened. */
function toHeadings(text: string): string[] {
  return text.match(/\b[A-Z]+_[A-Z_]+: .*/g) ?? []
}

function fileOf(name: string): string {
  return name.startsWith('lift-module') ? `${name}.lift.ts` : `${name}.ts`
}

function read(name: string): string {
  return readFileSync(join(fixtures, name, 'input.ts'), 'utf8')
}
