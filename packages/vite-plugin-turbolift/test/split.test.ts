import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

import { transform } from 'rolldown/utils'
import { describe, expect, test } from 'vitest'

import { parseModule } from '../src/ast.ts'
import { reportProblems } from '../src/report-problems.ts'
import { splitModule } from '../src/split.ts'

const fixtures = join(import.meta.dirname, 'fixtures/split')

describe.each(readdirSync(fixtures))('%s', (name) => {
  test('splits as expected', async () => {
    const folder = join(fixtures, name)
    const source = readFileSync(join(folder, 'input.ts'), 'utf8')
    const { code, map } = await transform('input.ts', source, { sourcemap: true })
    const isLiftModule = name.startsWith('lift-module')
    const split = splitModule(code, { path: 'input.ts', isLiftModule, pools: ['heavy'] })
    const warnings: string[] = []
    const context = {
      warn: ({ message }: { readonly message: string }) => void warnings.push(message),
      getCombinedSourcemap: () => ({ version: 3, names: [], sources: ['input.ts'], mappings: map?.mappings ?? '' }),
    }
    const problems = { code, id: join(folder, 'input.ts'), diagnostics: split?.diagnostics ?? [] }
    const thrown: unknown = await reportProblems(context, problems).catch((error: unknown) => error)
    const text = [...warnings, ...(thrown instanceof Error ? [thrown.message] : [])]
      .join('\n\n')
      .replaceAll(`${folder}/`, '')
    if (text !== '') await expect(`${text}\n`).toMatchFileSnapshot(join(folder, 'error.expected.txt'))
    expect(text === '', 'only fixtures of problems have an error.expected.txt').toBe(
      !readdirSync(folder).includes('error.expected.txt'),
    )
    if (thrown !== undefined) return
    const worker = split?.worker().code ?? ''
    const main = split?.main().code ?? ''
    await expect(worker).toMatchFileSnapshot(join(folder, 'worker.expected.js'))
    await expect(main).toMatchFileSnapshot(join(folder, 'main.expected.js'))
    for (const output of [worker, main, split?.inline().code ?? ''])
      expect(parseModule(output).ast.body.length).toBeGreaterThan(0)
  })
})
