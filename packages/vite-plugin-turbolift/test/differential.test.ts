import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { describe, expect, test } from 'vitest'

import { turbolift } from '../src/plugin.ts'
import { bundlers, createProject } from './bundlers.ts'
import type { AnyPlugin } from './bundlers.ts'
import { generateProgram } from './random-program.ts'

/** 2,000 programs in every run; another number or a fixed seed by environment, to look for more. */
const count = Number(process.env['DIFFERENTIAL_PROGRAMS'] ?? 2000)
const firstSeed = Number(process.env['DIFFERENTIAL_SEED'] ?? 1)
const batchSize = 125

const runner = `
import { inspect } from 'node:util'
const module = await import(new URL('./dist/main.js', import.meta.url).href)
const results = []
for (const run of module.programs) {
  try {
    results.push(inspect(await run(), { depth: 20, compact: true, breakLength: Infinity }))
  } catch (error) {
    results.push('throws ' + error.name + ': ' + error.message)
  }
}
process.stdout.write('\\n' + JSON.stringify(results))
`

describe('random programs do the same split and unsplit', () => {
  const batches = Array.from({ length: Math.ceil(count / batchSize) }, (_, index) => firstSeed + index * batchSize)

  test.each(batches)('seeds from %i', async (seed) => {
    const sources = Array.from({ length: batchSize }, (_, index) => generateProgram(seed + index, `p${index}`))
    const unsplit = await runAll(sources, [])
    const split = await runAll(sources, turbolift({ typecheck: false }))
    for (const [index, result] of split.entries()) {
      const text = Object.entries(sources[index] ?? {}).map(([name, code]) => `// ${name}\n${code}`)
      expect(result, `seed ${seed + index}:\n${text.join('\n')}`).toBe(unsplit[index])
    }
    expect(split.length).toBe(batchSize)
  })
})

type Sources = readonly Readonly<Record<string, string>>[]

async function runAll(sources: Sources, plugins: readonly AnyPlugin[]): Promise<readonly string[]> {
  const [vite8] = bundlers
  const files = Object.fromEntries(
    sources.flatMap((source) => Object.entries(source).map(([name, code]) => [`src/${name}`, code])),
  )
  const imports = sources.map((_, index) => `import { run as run${index} } from './p${index}.ts'`).join('\n')
  const list = sources.map((_, index) => `run${index}`).join(', ')
  const main = `${imports}\nexport const programs = [${list}]\n`
  await using project = await createProject({ ...files, 'src/main.ts': main, 'run.mjs': runner })
  await vite8?.build({ root: project.root, input: { main: 'src/main.ts' }, plugins })
  const env = { ...process.env, TURBOLIFT_TARGET: 'inline', VITEST: undefined }
  const { stdout } = await promisify(execFile)(process.execPath, [join(project.root, 'run.mjs')], { env })
  return parseResults(stdout.slice(stdout.lastIndexOf('\n')))
}

function parseResults(text: string): readonly string[] {
  return JSON.parse(text) as readonly string[]
}
