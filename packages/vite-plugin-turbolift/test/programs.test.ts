import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { turbolift } from '../src/index.ts'
import { readProgram, runProgram } from './built-program.ts'
import { bundlers, createProject } from './bundlers.ts'

const fixtures = join(import.meta.dirname, 'fixtures/programs')

/** Warnings are compared by code and place; a program without a list of them has none. */
describe.each(bundlers.filter(({ name }) => /Vite 8|rolldown/.test(name)))('by $name', (bundler) => {
  test.each(readdirSync(fixtures))('%s', async (name) => {
    await using project = await createProject(readSources(name), bundler.viteName)
    const plugins = turbolift({ typecheck: false })
    const warnings = await bundler.build({ root: project.root, input: { main: 'src/main.ts' }, plugins })
    const ours = warnings.filter((text) => /\b[A-Z]+_[A-Z_]+: /.test(text))
    const told = ours.map((text) => `${/[A-Z]+_[A-Z_]+(?=: )/.exec(text)?.[0]} ${/ at .*\/(\S+)$/m.exec(text)?.[1]}`)
    expect(told.toSorted()).toEqual(readLines(name, 'told.txt').map((line) => expect.stringContaining(line)))
    const { workerCode } = await readProgram(project.root)
    for (const text of readLines(name, 'absent.txt')) expect(workerCode).not.toContain(text)
    const [expected] = readLines(name, 'expected.txt')
    if (expected === undefined) return
    const { stdout } = await runProgram(project.root, { TURBOLIFT_TARGET: 'local' })
    expect(stdout.trim()).toBe(expected)
  })
})

function readSources(name: string): Record<string, string> {
  const folder = join(fixtures, name)
  const paths = readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' })
  const files = paths.filter((path) => /\.\w+$/.test(path)).map((path) => join('src', path))
  return Object.fromEntries(files.map((path) => [path, readFileSync(join(folder, path), 'utf8')]))
}

function readLines(name: string, file: string): string[] {
  const path = join(fixtures, name, file)
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : []
}
